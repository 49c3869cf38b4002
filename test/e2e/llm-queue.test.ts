import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import { llmTaskQueueOf } from '../../src/contract/names.js';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { createExamineTemporal } from '../../src/generations/examine-temporal.js';
import { masterKeySetting } from '../encryption/support.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';
import { ownPort } from '../support/place.js';
import { freshPostgres } from '../support/postgres.js';
import { runProgram, SECRET, untilReady, type Program } from '../support/program.js';
import { temporal } from '../support/temporal.js';

describe('Calls of the model that one of two workers limits', function () {
  this.timeout(60_000);
  const taskQueue = `limited ${randomUUID()}`;
  const llmTaskQueue = llmTaskQueueOf(taskQueue);
  let llm: TestLlm;
  let slow: Gate;
  let settings: Record<string, string>;
  let client: Client;
  let server: Program;
  const workers: Program[] = [];
  let url: string;
  const api = new ApiClient(() => url);
  const examine = () => createExamineTemporal({ client, taskQueue })();

  const work = async (more: Record<string, string> = {}): Promise<Program> => {
    const others = (await examine()).llmCalls.workers.length;
    const worker = runProgram('dist/worker.js', { ...settings, ...more });
    workers.push(worker);
    await eventually(async () => {
      assert.equal((await examine()).llmCalls.workers.length, others + 1, worker.output());
    });
    return worker;
  };
  /** In which task queue each step of a task was. */
  const queuesOf = async (taskId: string): Promise<Record<string, string>> => {
    const { events } = await client.workflow.getHandle(taskId).fetchHistory();
    const scheduled = events!.flatMap(({ activityTaskScheduledEventAttributes: step }) => (step ? [step] : []));
    return Object.fromEntries(scheduled.map((step) => [step.activityType!.name!, step.taskQueue!.name!]));
  };
  const asked = (text: string): number => llm.requests().filter((request) => userText(request) === text).length;

  before(async function () {
    this.timeout(600_000);
    slow = gate();
    llm = await startTestLlm(async (_, request) => {
      if (userText(request).startsWith('slow')) await slow.opened;
      return says('You are the assistant of a shoe store.');
    });
    const { address, connection } = await temporal();
    client = new Client({ connection });
    settings = {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_TASK_QUEUE: taskQueue,
      DATABASE_URL: await freshPostgres(),
      OPENAI_BASE_URL: llm.config.baseUrl,
      AUTH_JWT_SECRET: SECRET,
      PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
    };
    await work({ LLM_CALLS_PER_SECOND: '50', LLM_CONCURRENT_CALLS: '1' });
    const PORT = await ownPort();
    url = `http://127.0.0.1:${PORT}`;
    server = runProgram('dist/api/server.js', { ...settings, PORT, METRICS_PORT: await ownPort() });
    await untilReady(url, server);
    await api.open('ann', { tokens: 100_000 });
  });
  after(async () => {
    slow.open();
    const codes = await Promise.all([server, ...workers].map((program) => program.stop()));
    await llm.stop();
    assert.deepEqual(new Set(codes), new Set([0]), 'each stopped cleanly');
  });

  it('wait in a queue of their own, as many at a time and a second as the worker says', async () => {
    const first = await api.start('ann', 'slow first');
    await eventually(() => {
      assert.equal(asked('slow first'), 1);
    });
    const second = await api.start('ann', 'slow second');
    await eventually(async () => {
      const { workers: names, waiting, limit } = (await examine()).llmCalls;
      assert.deepEqual([names.length, waiting, limit], [1, 1, { perSecond: 50, by: 'the workers' }]);
    });
    assert.equal(asked('slow second'), 0);
    assert.equal((await api.status('ann', second)).progress, 50);
    slow.open();
    for (const task of [first, second]) assert.equal((await api.untilEnded('ann', task)).generated_by_ai, true);
    assert.deepEqual(await queuesOf(second.task_id), {
      initialize: taskQueue,
      checkTokens: taskQueue,
      generateWithAI: llmTaskQueue,
      finalize: taskQueue,
    });
  });

  it('are limited by an operator instead, at once and by one command', async () => {
    const cli = await findTemporalCli(() => undefined);
    const { address } = await temporal();
    const set = async (limit: string) => {
      const command = ['task-queue', 'config', 'set', '--task-queue', llmTaskQueue, '--task-queue-type', 'activity'];
      await promisify(execFile)(cli, [...command, '--queue-rps-limit', limit, '--address', address]);
    };
    const limitIs = (perSecond: number, by: string) =>
      eventually(async () => {
        assert.deepEqual((await examine()).llmCalls.limit, { perSecond, by });
      });
    for (const limit of [7, 0]) {
      await set(String(limit));
      await limitIs(limit, 'an operator');
    }
    await set('default');
    await limitIs(50, 'the workers');
  });

  it('go on at the other one, which limits nothing, when the first one stops', async () => {
    slow = gate();
    const task = await api.start('ann', 'slow third');
    await eventually(() => {
      assert.equal(asked('slow third'), 1);
    });
    const [limited] = workers;
    await work();
    assert.equal(await limited!.stop(), 0);
    await eventually(() => {
      assert.equal(asked('slow third'), 2);
    });
    slow.open();
    assert.equal((await api.untilEnded('ann', task)).generated_by_ai, true);
    assert.equal((await queuesOf(task.task_id)).generateWithAI, llmTaskQueue);

    const unlimited = await api.start('ann');
    assert.equal((await api.untilEnded('ann', unlimited)).generated_by_ai, true);
    assert.equal((await queuesOf(unlimited.task_id)).generateWithAI, taskQueue, 'its call takes the short way');
  });

  it('are part of what a container is asked for: whether a worker of this host polls for them', async () => {
    const health = async (more: Record<string, string> = {}) => {
      const program = runProgram('dist/worker-health.js', { ...settings, ...more });
      return [await program.exited, program.output().includes('no worker of this host polls')];
    };
    assert.deepEqual(await health(), [0, false]);
    assert.deepEqual(await health({ TEMPORAL_TASK_QUEUE: 'nobody polls this' }), [1, true]);
  });
});
