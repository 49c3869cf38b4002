import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import type { Status } from '../support/api-client.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { says, startTestLlm, type TestLlm } from '../support/llm-server.js';
import { ownPort } from '../support/place.js';
import { untilReady, type Program } from '../support/program.js';
import { actionsEach, readActions, readStored, storedEach, type Actions } from './support/cost.js';
import { startTopology, type Topology } from './support/topology.js';

const DOCUMENT = 'docs/production.md';
const OWNERS = 40;
const PER_OWNER = 10;
/** An instruction and a prompt of ordinary length, in characters. */
const INSTRUCTION = 'We sell shoes, be friendly, no refunds after 14 days. '.repeat(6);
const PROMPT = 'You are the assistant of a shoe store. Be friendly, and never promise a refund. '.repeat(25);
/** A model that begins after 1.5 s and writes for 5.5 s. */
const MODEL = { chunkSize: 20, streamingProfile: { ttft: 1_500, tps: 18 } };
const POLL_MS = 1_000;
/** Of each generation as many as it lasts, or is looked at. */
const BY_TIME = ['grpc_RecordActivityTaskHeartbeat', 'grpc_QueryWorkflow'];

describe('What a generation costs in Temporal and PostgreSQL', function () {
  this.timeout(300_000);
  let topology: Topology;
  let llm: TestLlm;
  let programs: Program[];
  let api: ApiClient;

  before(async function () {
    this.timeout(900_000);
    llm = await startTestLlm(() => says(PROMPT, 300, 500), MODEL);
    topology = await startTopology({ variables: { OPENAI_BASE_URL: llm.config.baseUrl } });
    const PORT = await ownPort();
    const url = `http://127.0.0.1:${PORT}`;
    const program = topology.run('api', { PORT, METRICS_PORT: await ownPort() });
    programs = [program, topology.run('worker')];
    await untilReady(url, program);
    api = new ApiClient(() => url);
    // Whose round a minute would be counted as well.
    await topology.cli(
      'schedule',
      'toggle',
      '--schedule-id',
      'reconcile prompt-generation',
      '--pause',
      '--reason',
      'cost',
    );
  });
  after(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    await topology.stop();
    await llm.stop();
  });

  /** Once they stand still: the server tells them every second, and its own work has to end. */
  const countActions = (): Promise<Actions> => {
    let last: Actions = {};
    return eventually(
      async () => {
        const [now, before] = [await readActions(topology.temporalMetricsUrl, topology.client.options.namespace), last];
        last = now;
        assert.deepEqual(now, before);
        return now;
      },
      { timeoutMs: 60_000, everyMs: 2_500 },
    );
  };
  const newOwners = (count: number) =>
    Promise.all(Array.from({ length: count }, () => api.newOwner({ tokens: 1_000_000 })));
  /** Generates without a poll or a query, so that nothing is counted but the generations. */
  const generate = async (owner: string, count: number) => {
    const texts = Array.from({ length: count }, (_, n) => `${INSTRUCTION}${n}`);
    // So many at once are refused now and then, and come again.
    const patiently = (text: string) =>
      eventually(() => api.start(owner, text), { timeoutMs: 100_000, everyMs: 1_000 });
    const tasks = await Promise.all(texts.map(patiently));
    for (const { task_id } of tasks) {
      await eventually(
        async () => {
          assert.ok((await topology.describe(task_id))?.closeTime, `${task_id} runs`);
        },
        { timeoutMs: 100_000, everyMs: 200 },
      );
    }
  };
  /** A page, which polls each second. */
  const watch = async (owner: string): Promise<number> => {
    const task = await api.start(owner, INSTRUCTION);
    for (let polls = 1; ; polls += 1) {
      await rest(POLL_MS);
      const { progress, generated_by_ai }: Status = await api.status(owner, task);
      if (progress < 100) continue;
      assert.equal(generated_by_ai, true);
      return polls;
    }
  };

  it(`is what ${DOCUMENT} says, in actions`, async () => {
    const owners = await newOwners(OWNERS);
    const before = await countActions();
    await Promise.all(owners.map((owner) => generate(owner, 1)));
    const each = actionsEach(before, await countActions(), OWNERS);
    process.stdout.write(`actions of a generation nobody looks at: ${JSON.stringify(each)}\n`);
    const exact = Object.entries(each).filter(([type]) => !BY_TIME.includes(type));
    assert.deepEqual(Object.fromEntries(exact), documented('of each generation'));
  });

  it('grows with the time the model takes, by heartbeats, and hardly with polls', async () => {
    const owners = await newOwners(OWNERS);
    const before = await countActions();
    const polls = await Promise.all(owners.map(watch));
    const each = actionsEach(before, await countActions(), OWNERS);
    const pollsEach = polls.reduce((sum, count) => sum + count, 0) / OWNERS;
    process.stdout.write(`with ${pollsEach} polls: ${JSON.stringify(each)}\n`);
    const { grpc_QueryWorkflow: queries = 0, grpc_RecordActivityTaskHeartbeat: heartbeats = 0 } = each;
    // Only where something was missed is a workflow asked.
    assert.ok(queries < pollsEach / 4, `${queries} queries of ${pollsEach} polls`);
    assert.ok(heartbeats >= 1, `${heartbeats} heartbeats`);
  });

  it('is what it leaves in the databases', async () => {
    const owners = await newOwners(OWNERS);
    // Everybody's first one brings what every owner has once.
    await Promise.all(owners.map((owner) => generate(owner, 1)));
    const read = () =>
      Promise.all([
        readStored(topology.database.url, 'prompts'),
        readStored(topology.temporalDatabase.url, 'temporal'),
        readStored(topology.temporalDatabase.url, 'temporal_visibility'),
      ]);
    const before = await read();
    await Promise.all(owners.map((owner) => generate(owner, PER_OWNER)));
    const after = await read();
    const count = OWNERS * PER_OWNER;
    const [prompts, temporal, visibility] = before.map((stored, n) => storedEach(stored, after[n]!, count));
    for (const [name, { rows, bytes }] of Object.entries({
      prompts: prompts!,
      temporal: temporal!,
      visibility: visibility!,
    }))
      process.stdout.write(`${name}: ${bytes} bytes a generation; rows ${JSON.stringify(rows)}\n`);
    assert.equal(prompts!.rows.generations, 1);
  });
});

/** The rows of a table of the document, action and count. */
function documented(title: string): Actions {
  const [, table = ''] = readFileSync(DOCUMENT, 'utf8').split(title);
  return Object.fromEntries(
    [...table.split('\n\n')[1]!.matchAll(/^\| `(\w+)` +\| (\d+) +\|/gm)].map(([, type, count]) => [
      type,
      Number(count),
    ]),
  ) as Actions;
}
