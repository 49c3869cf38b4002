import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { reconcilerOf } from '../../src/schedule-reconciler.js';
import { storedOf } from '../encryption/stored.js';
import { masterKeySetting } from '../encryption/support.js';
import { ApiClient, type Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';
import { ownPort } from '../support/place.js';
import { freshDatabaseOn, startPostgres, type PostgresServer } from '../support/postgres.js';
import { runProgram, SECRET, untilReady, type Program } from '../support/program.js';
import { temporal } from '../support/temporal.js';

const API = 'dist/api/server.js';
const WORKER = 'dist/worker.js';

describe('Two APIs and two workers, on PostgreSQL', function () {
  this.timeout(120_000);
  let postgres: PostgresServer;
  let llm: TestLlm;
  let slow: Gate;
  let settings: Record<string, string>;
  let workers: Program[];
  let apis: { url: string; program: Program }[];
  let turn = 0;
  /** Each call goes to the other API than the one before. */
  const api = new ApiClient(() => apis[turn++ % apis.length]!.url);

  before(async function () {
    this.timeout(600_000);
    slow = gate();
    llm = await startTestLlm(async (_, request) => {
      if (userText(request).startsWith('slow')) await slow.opened;
      return says('You are the assistant of a shoe store.');
    });
    postgres = await startPostgres();
    settings = {
      TEMPORAL_ADDRESS: (await temporal()).address,
      TEMPORAL_TASK_QUEUE: `halves ${randomUUID()}`,
      DATABASE_URL: await freshDatabaseOn(postgres.url),
      OPENAI_BASE_URL: llm.config.baseUrl,
      AUTH_JWT_SECRET: SECRET,
      PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
    };
    // All at once on an empty database: one of them migrates it, the others wait.
    workers = [runProgram(WORKER, settings), runProgram(WORKER, settings)];
    apis = await Promise.all(
      [1, 2].map(async () => {
        const PORT = await ownPort();
        const program = runProgram(API, { ...settings, PORT, METRICS_PORT: await ownPort() });
        return { url: `http://127.0.0.1:${PORT}`, program };
      }),
    );
    await Promise.all(apis.map(({ url, program }) => untilReady(url, program)));
  });
  after(async () => {
    slow.open();
    const codes = await Promise.all(
      [...workers, ...apis.map(({ program }) => program)].map((program) => program.stop()),
    );
    await llm.stop();
    await postgres.remove();
    assert.deepEqual(new Set(codes), new Set([0]), 'each stopped cleanly');
  });

  const owner = async (): Promise<string> => {
    const name = randomUUID();
    await api.open(name, { tokens: 100_000 });
    return name;
  };

  it('are one service: what one API starts, the other shows', async () => {
    const name = await owner();
    const tasks = await Promise.all(Array.from({ length: 10 }, (_, n) => api.start(name, `text ${n}`)));
    for (const task of tasks) assert.equal((await api.untilEnded(name, task)).status, 'completed');
    const { charges, sum } = await api.ledger(name);
    assert.deepEqual([charges.length, sum], [10, 98_500]);
    const key = { 'Idempotency-Key': 'k' };
    const [one, two] = await Promise.all([api.start(name, 'same', key), api.start(name, 'same', key)]);
    assert.equal(one.task_id, two.task_id);
  });

  it("let a page poll with the task's cookie at either API", async () => {
    const name = await owner();
    const answer = await api.call('POST', '/api/v1/web-knowledge/generate-prompt-async/', {
      as: name,
      body: { manual_prompt: 'x' },
    });
    const { status_url } = (await answer.json()) as { status_url: string };
    const cookie = answer.headers.get('set-cookie')!.split(';', 1)[0]!;
    for (const { url } of apis) {
      const status = (await (await fetch(url + status_url, { headers: { Cookie: cookie } })).json()) as Status;
      assert.equal(status_url.includes(status.task_id), true);
    }
  });

  it("let Temporal keep nothing in clear: everything of a run is under its owner's key, whoever wrote it", async () => {
    const { connection } = await temporal();
    const keysOf = async (name: string, task: { task_id: string; status_url: string }) => {
      await api.untilEnded(name, task);
      const { text, encodings, keyIds } = await storedOf(connection, task.task_id);
      assert.deepEqual(new Set(encodings), new Set(['binary/encrypted']));
      for (const word of ['zanzibar', 'shoe store', name]) assert.equal(text.includes(word), false, word);
      return new Set(keyIds);
    };
    const [ann, bob] = [await owner(), await owner()];
    const first = await keysOf(ann, await api.start(ann, 'zanzibar'));
    const second = await keysOf(ann, await api.start(ann, 'zanzibar again'));
    assert.equal(first.size, 1, 'of one run');
    assert.deepEqual(second, first, 'of one owner');
    assert.notDeepEqual(await keysOf(bob, await api.start(bob, 'zanzibar')), first, 'of another owner');
  });

  it('lose nothing when a worker is killed in the call of the model, or stopped', async () => {
    for (const end of ['kill', 'stop'] as const) {
      const name = await owner();
      const tasks = await Promise.all(Array.from({ length: 10 }, (_, n) => api.start(name, `slow ${end} ${n}`)));
      for (const task of tasks) await api.untilProgress(name, task, 50);
      await workers.shift()![end]();
      workers.push(runProgram(WORKER, settings));
      slow.open();
      const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
      slow = gate();
      for (const { status, generated_by_ai } of ends) assert.deepEqual([status, generated_by_ai], ['completed', true]);
      const { charges, sum } = await api.ledger(name);
      assert.deepEqual([charges.length, sum], [10, 98_500], end);
    }
  });

  it('end a run that an operator terminated, by the reconciler that both workers share', async () => {
    const name = await owner();
    const task = await api.start(name, 'slow');
    await api.untilProgress(name, task, 50);
    const { client } = await temporal();
    await client.workflow.getHandle(task.task_id).terminate('an operator');
    const database = new pg.Client(settings.DATABASE_URL);
    await database.connect();
    // As old as a task must be before the reconciler takes it for broken off.
    await database.query("UPDATE generations SET created_at = created_at - interval '3 minutes' WHERE task_id = $1", [
      task.task_id,
    ]);
    await client.schedule.getHandle(reconcilerOf(settings.TEMPORAL_TASK_QUEUE!)).trigger();
    await eventually(async () => {
      const { rows } = await database.query('SELECT status, failure FROM generations WHERE task_id = $1', [
        task.task_id,
      ]);
      assert.deepEqual(rows, [{ status: 'failed', failure: { code: 'cancelled' } }]);
    });
    await database.end();
    slow.open();
    slow = gate();
    assert.deepEqual((await api.account(name)).tokens, { balance: 100_000, held: 0, available: 100_000 });
  });

  it('share the limits of an owner: of forty starts at once on both, twenty run', async () => {
    const name = await owner();
    const starts = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        api.call('POST', GENERATE_ASYNC_PATH, { as: name, body: { manual_prompt: `slow ${n}` } }),
      ),
    );
    const started = starts.filter(({ status }) => status === 202);
    assert.equal(started.length, 20);
    assert.equal(starts.filter(({ status }) => status === 429).length, 20);
    const refused = starts.find(({ status }) => status === 429)!;
    assert.match(
      ((await refused.json()) as { message: string }).message,
      /^At most 20 generations can run at a time\./,
    );
    assert.equal(refused.headers.get('retry-after'), '2');
    assert.match(refused.headers.get('ratelimit') ?? '', /^"starts";r=40;t=\d+, "running";r=0$/);
    slow.open();
    const tasks = await Promise.all(started.map(async (one) => (await one.json()) as Parameters<typeof api.status>[1]));
    for (const task of tasks) assert.equal((await api.untilEnded(name, task)).status, 'completed');
    slow = gate();
    const next = await api.call('POST', GENERATE_ASYNC_PATH, { as: name, body: { manual_prompt: 'one more' } });
    assert.equal(next.status, 202);
    assert.match(next.headers.get('ratelimit') ?? '', /^"starts";r=39;t=\d+, "running";r=19$/);
    await api.untilEnded(name, (await next.json()) as Parameters<typeof api.status>[1]);
  });

  it('say that the database is away, start nothing less, and go on when it is back', async () => {
    const [name, stranger] = [await owner(), await owner()];
    // Whose key each API knows, and nobody's.
    for (const { url } of apis) await api.untilEnded(name, await new ApiClient(() => url).start(name));
    // One that is still starting would end, rightly, where it finds no database.
    await eventually(() => {
      for (const worker of workers) assert.match(worker.output(), /the worker works/);
    });
    await postgres.kill();
    await eventually(async () => {
      const answer = await fetch(`${apis[0]!.url}/readyz`);
      assert.deepEqual([answer.status, ((await answer.json()) as { away: string[] }).away], [503, ['database']]);
    });
    assert.equal((await api.call('GET', '/api/v1/account/', { as: name })).status, 503);
    for (const _ of apis) {
      const body = { manual_prompt: 'x' };
      const refused = await api.call('POST', '/api/v1/web-knowledge/generate-prompt-async/', { as: stranger, body });
      assert.equal(refused.status, 503, 'an owner whose key cannot be had');
    }
    const task = await api.start(name);
    for (const _ of apis) assert.notEqual((await api.status(name, task)).status, 'failed', 'it goes on');
    await postgres.start();
    assert.equal((await api.untilEnded(name, task)).status, 'completed');
    assert.equal((await api.untilEnded(stranger, await api.start(stranger))).status, 'completed');
  });
});

describe('Each half by itself', () => {
  for (const [main, missing] of [
    [API, ['DATABASE_URL', 'AUTH_JWT_SECRET or AUTH_JWKS_URL', 'PAYLOAD_ENCRYPTION_KEYS']],
    [WORKER, ['DATABASE_URL', 'OPENAI_API_KEY', 'PAYLOAD_ENCRYPTION_KEYS']],
  ] as const) {
    it(`${main} names every setting it lacks, and every one that is wrong`, async () => {
      const without = runProgram(main);
      assert.equal(await without.exited, 1);
      for (const name of missing) assert.ok(without.output().includes(name), name);
      const wrong = runProgram(main, { PORT: 'x', LOG_LEVEL: 'loud' });
      assert.equal(await wrong.exited, 1);
      assert.match(wrong.output(), /^These settings are wrong:\n {2}PORT: .*\n {2}LOG_LEVEL: .*\n$/);
    });
  }
});
