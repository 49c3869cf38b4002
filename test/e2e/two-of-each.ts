import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { batchRunId, GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { reconcilerOf } from '../../src/schedule-reconciler.js';
import { storedOf } from '../encryption/stored.js';
import { ApiClient, type Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { ownPort } from '../support/place.js';
import type { PostgresServer } from '../support/postgres.js';
import { untilReady, type Program } from '../support/program.js';
import { startBatch, testBatches, untilBatchEnded } from './batches.js';
import { ScriptedModel } from './scripted-model.js';

/** What two APIs and two workers stand on, and how one of them is started there. */
export interface Ground {
  /** Starts a program with the settings it has there, and `more`. */
  run(program: 'api' | 'worker', more?: Record<string, string>): Program;
  /** Of its Temporal and namespace. */
  client: Client;
  taskQueue: string;
  databaseUrl: string;
  postgres: Pick<PostgresServer, 'kill' | 'start'>;
  stop(): Promise<void>;
}

/** Of each owner: few, so that a test reaches them. */
const LIMITS = { MAX_STARTS_PER_MINUTE: '60', MAX_RUNNING_TASKS: '20' };

/** A running service of two APIs and two workers. Each call goes to the other API than the one before. */
interface Running {
  api: ApiClient;
  model: () => ScriptedModel;
}

/** Tests that two APIs and two workers are one service; `more`, tests of the same service. `open` gets the model's settings. */
export function testTwoOfEach(
  title: string,
  open: (modelSettings: Record<string, string>) => Promise<Ground>,
  more: (running: Running) => void = () => undefined,
): void {
  describe(title, function () {
    this.timeout(120_000);
    let ground: Ground;
    let model: ScriptedModel;
    let workers: Program[] = [];
    let apis: { url: string; program: Program }[] = [];
    let turn = 0;
    const api = new ApiClient(() => apis[turn++ % apis.length]!.url);

    before(async function () {
      this.timeout(900_000);
      model = await ScriptedModel.start();
      ground = await open(model.settings);
      // All at once on an empty database: one of them migrates it, the others wait.
      workers = [ground.run('worker'), ground.run('worker')];
      apis = await Promise.all(
        [1, 2].map(async () => {
          const PORT = await ownPort();
          const program = ground.run('api', { PORT, METRICS_PORT: await ownPort(), ...LIMITS });
          return { url: `http://127.0.0.1:${PORT}`, program };
        }),
      );
      await Promise.all(apis.map(({ url, program }) => untilReady(url, program)));
    });
    after(async () => {
      model.open();
      const codes = await Promise.all(
        [...workers, ...apis.map(({ program }) => program)].map((program) => program.stop()),
      );
      await model.stop();
      // Where it could not be opened, that has been said.
      await (ground as Ground | undefined)?.stop();
      assert.deepEqual(new Set(codes), new Set([0]), 'each stopped cleanly');
    });

    const owner = () => api.newOwner({ tokens: 100_000 });

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
      const keysOf = async (name: string, task: { task_id: string; status_url: string }) => {
        await api.untilEnded(name, task);
        const { text, encodings, keyIds } = await storedOf(
          ground.client.connection,
          task.task_id,
          ground.client.options.namespace,
        );
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

    it("let Temporal keep nothing of a batch in clear: its run and its items are under their owner's key", async () => {
      const name = await owner();
      const batch = await startBatch(api, name, ['zanzibar', 'zanzibar too']);
      await untilBatchEnded(api, name, batch);
      const keyIds = new Set<string>();
      for (const run of [batchRunId(batch.batch_id), ...batch.items.map(({ task_id }) => task_id)]) {
        const { client } = ground;
        await eventually(async () => {
          // Without the keys: its memo can't be read.
          const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({
            namespace: client.options.namespace,
            execution: { workflowId: run },
          });
          assert.ok(workflowExecutionInfo?.closeTime);
        });
        const stored = await storedOf(client.connection, run, client.options.namespace);
        assert.deepEqual(new Set(stored.encodings), new Set(['binary/encrypted']));
        for (const word of ['zanzibar', 'shoe store', name]) assert.equal(stored.text.includes(word), false, word);
        for (const keyId of stored.keyIds) keyIds.add(keyId);
      }
      assert.equal(keyIds.size, 1);
    });

    it('lose no item of a batch when a worker is killed while it starts them', async () => {
      const name = await owner();
      const batch = await startBatch(
        api,
        name,
        Array.from({ length: 20 }, (_, n) => `text ${n}`),
      );
      await workers.shift()!.kill();
      workers.push(ground.run('worker'));
      const { counts } = await untilBatchEnded(api, name, batch);
      assert.equal(counts.completed, 20);
      const { charges, sum } = await api.ledger(name);
      assert.deepEqual([charges.length, sum], [20, 100_000 - 20 * 150]);
    });

    it('lose nothing when a worker is killed in the call of the model, or stopped', async () => {
      for (const end of ['kill', 'stop'] as const) {
        const name = await owner();
        const tasks = await Promise.all(Array.from({ length: 10 }, (_, n) => api.start(name, `slow ${end} ${n}`)));
        for (const task of tasks) await api.untilProgress(name, task, 50);
        await workers.shift()![end]();
        workers.push(ground.run('worker'));
        model.open();
        const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
        model.close();
        for (const { status, generated_by_ai } of ends)
          assert.deepEqual([status, generated_by_ai], ['completed', true]);
        const { charges, sum } = await api.ledger(name);
        assert.deepEqual([charges.length, sum], [10, 98_500], end);
      }
    });

    it('end a run that an operator terminated, by the reconciler that both workers share', async () => {
      const name = await owner();
      const task = await api.start(name, 'slow');
      await api.untilProgress(name, task, 50);
      await ground.client.workflow.getHandle(task.task_id).terminate('an operator');
      const database = new pg.Client(ground.databaseUrl);
      await database.connect();
      // As old as a task must be before the reconciler takes it for broken off.
      await database.query("UPDATE generations SET created_at = created_at - interval '3 minutes' WHERE task_id = $1", [
        task.task_id,
      ]);
      await ground.client.schedule.getHandle(reconcilerOf(ground.taskQueue)).trigger();
      await eventually(async () => {
        const { rows } = await database.query('SELECT status, failure FROM generations WHERE task_id = $1', [
          task.task_id,
        ]);
        assert.deepEqual(rows, [{ status: 'failed', failure: { code: 'cancelled' } }]);
      });
      await database.end();
      model.open();
      model.close();
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
      model.open();
      const tasks = await Promise.all(
        started.map(async (one) => (await one.json()) as Parameters<typeof api.status>[1]),
      );
      for (const task of tasks) assert.equal((await api.untilEnded(name, task)).status, 'completed');
      model.close();
      const next = await api.call('POST', GENERATE_ASYNC_PATH, { as: name, body: { manual_prompt: 'one more' } });
      assert.equal(next.status, 202);
      assert.match(next.headers.get('ratelimit') ?? '', /^"starts";r=39;t=\d+, "running";r=19$/);
      await api.untilEnded(name, (await next.json()) as Parameters<typeof api.status>[1]);
    });

    it('reuse nothing while another model is rolled out', async () => {
      const name = await owner();
      const ask = () =>
        api.json<{ status_url: string; cached?: true }>('POST', GENERATE_ASYNC_PATH, {
          as: name,
          body: { manual_prompt: 'We sell shoes.', reuse: true },
        });
      /** Seldom, as each is a start. */
      const reuses = (expected: true | undefined) =>
        eventually(
          async () => {
            for (const _ of apis) {
              const task = await ask();
              await api.untilEnded(name, task);
              assert.equal(task.cached, expected);
            }
          },
          { everyMs: 500 },
        );
      await reuses(true);
      const another = ground.run('worker', { OPENAI_MODEL: 'another-model' });
      await reuses(undefined);
      await another.stop();
      await reuses(true);
    });

    it('say that the database is away, start nothing less, and go on when it is back', async () => {
      const [name, stranger] = [await owner(), await owner()];
      // Whose key each API knows, and nobody's.
      for (const { url } of apis) await api.untilEnded(name, await new ApiClient(() => url).start(name));
      // One that is still starting would end, rightly, where it finds no database.
      await eventually(() => {
        for (const worker of workers) assert.match(worker.output(), /the worker works/);
      });
      await ground.postgres.kill();
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
      await ground.postgres.start();
      assert.equal((await api.untilEnded(name, task)).status, 'completed');
      assert.equal((await api.untilEnded(stranger, await api.start(stranger))).status, 'completed');
    });

    testBatches(api, () => model);

    more({ api, model: () => model });
  });
}
