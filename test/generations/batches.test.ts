import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, ServiceError, type WorkflowClientInterceptor } from '@temporalio/client';
import { createActivities } from '../../src/activities/index.js';
import { isBatchEnded } from '../../src/contract/batch.js';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { batchRunId, itemTaskId } from '../../src/contract/names.js';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { priorityOf } from '../../src/generations/fairness.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import type { Batches, FoundBatch } from '../../src/generations/types.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import type { Ledger } from '../../src/ledger/types.js';
import type { Answer, Llm } from '../../src/llm/llm.js';
import { assertInvariants } from '../ledger/invariants.js';
import { BY } from '../support/by.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';
import { asOwner, bare, quiet, richOwner, UNLIMITED, useLedger } from './support.js';

const WRITTEN: Answer = {
  text: 'You are kind.',
  model: 'm',
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
  finishReason: 'stop',
};

describe('The door to Temporal, for batches', function () {
  this.timeout(60_000);
  const on = useLedger();
  const rig = useRig();
  let slow: Gate;

  /** What one API process has. */
  const process = ({
    network = {},
    ledger = on.ledger,
  }: { network?: WorkflowClientInterceptor; ledger?: Ledger } = {}) => {
    const client = new Client({
      connection: rig.env.connection,
      workflow: { queryRejectCondition: 'NOT_OPEN' },
      interceptors: { workflow: [network] },
    });
    const { taskQueue } = rig;
    const generations = createGenerations({
      client,
      ledger,
      log: quiet,
      limits: UNLIMITED,
      taskQueue,
      assignKey: NO_ENCRYPTION.assign,
    });
    const { batches } = generations;
    return {
      batches,
      status: (...[taskId, caller]: Parameters<typeof generations.status>) => generations.status(taskId, caller),
      cancel: (...[taskId, caller]: Parameters<typeof generations.cancel>) => generations.cancel(taskId, caller),
    };
  };
  /** Answers at once, except texts that begin with "slow". */
  const generate: Llm['generate'] = async ({ user }, { signal }) => {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
    if (user.includes('slow')) await Promise.race([slow.opened, aborted]);
    return WRITTEN;
  };
  const work = () =>
    rig.work(
      createActivities({
        ledger: on.ledger,
        llm: { generate },
        modelId: 'm',
        tellWorkflow: () => Promise.resolve(),
        showText: () => undefined,
        minimumTokens: 700,
        maxOutputTokens: 3_000,
      }),
    );
  const start = async (batches: Batches, owner: string, manualPrompts: string[], idempotencyKey?: string) => {
    const result = await batches.start({ owner, manualPrompts, idempotencyKey, requestId: 'r' });
    return 'taskId' in result ? result.taskId : assert.fail(result.outcome);
  };
  const read = async (batches: Batches, batchId: string, owner: string): Promise<FoundBatch> => {
    const status = await batches.status(batchId, asOwner(owner));
    return status.outcome === 'found' ? status : assert.fail(status.outcome);
  };
  const untilEnded = (batches: Batches, batchId: string, owner: string) =>
    eventually(async () => {
      const { batch } = await read(batches, batchId, owner);
      assert.ok(isBatchEnded(batch), batch.message);
      return batch;
    });

  beforeEach(() => {
    slow = gate();
  });
  afterEach(() => {
    slow.open();
  });

  it('leads a batch to its end, though some items have too few tokens, and charges each item once', async () => {
    await work();
    const { batches, status } = process();
    // The hold of one call is over 3,000 tokens: enough for two at a time, and what is left for the others.
    const owner = await richOwner(on.ledger, 7_500);
    const batchId = await start(batches, owner, ['slow a', 'slow b', 'slow c', 'slow d', 'slow e']);
    await eventually(async () => {
      assert.deepEqual((await read(batches, batchId, owner)).batch.counts, {
        total: 5,
        queued: 0,
        processing: 3,
        completed: 0,
        failed: 2,
      });
    });
    const { raw } = await rig.client.workflow.getHandle(itemTaskId(batchId, 0)).describe();
    assert.deepEqual(raw.workflowExecutionInfo?.priority?.fairnessKey, priorityOf(owner).fairnessKey, 'it takes turns');
    slow.open();
    const batch = await untilEnded(batches, batchId, owner);
    assert.deepEqual(batch.counts, { total: 5, queued: 0, processing: 0, completed: 3, failed: 2 });
    assert.equal(batch.status, 'completed');
    for (const item of batch.items) {
      const one = await status(item.task_id, asOwner(owner));
      assert.ok(one.outcome === 'found' && one.snapshot.status === item.status);
      assert.equal('error_code' in one.snapshot ? one.snapshot.error_code : undefined, item.error_code);
    }
    assert.deepEqual((await on.ledger.getAccount(owner))!.tokens, { balance: 7_050, held: 0, available: 7_050 });
    await assertInvariants(on.db, owner);
  });

  it('is one batch for one key and prompts, however often they are sent, and another request is told so', async () => {
    await work();
    const { batches } = process();
    const owner = await richOwner(on.ledger);
    const ids = await Promise.all(Array.from({ length: 10 }, () => start(batches, owner, ['a', 'b'], 'k')));
    assert.equal(new Set(ids).size, 1);
    const [batchId] = ids as [string];
    await untilEnded(batches, batchId, owner);
    assert.deepEqual(
      bare(await batches.start({ owner, manualPrompts: ['a', 'b'], idempotencyKey: 'k', requestId: 'r' })),
      { outcome: 'existing', taskId: batchId },
    );
    for (const manualPrompts of [['a'], ['ab'], ['b', 'a'], ['a', 'b', 'c']])
      assert.deepEqual(bare(await batches.start({ owner, manualPrompts, idempotencyKey: 'k', requestId: 'r' })), {
        outcome: 'key_reused',
      });
    assert.equal((await on.ledger.getAccount(owner))!.tokens.balance, 100_000 - 2 * 150);
  });

  it('shows a batch and its items as queued before any worker is there, to their owner alone', async () => {
    const [mine, other] = [process(), process()];
    const owner = await richOwner(on.ledger);
    const batchId = await start(mine.batches, owner, ['a', 'b']);
    for (const { batches, status } of [mine, other]) {
      const { batch } = await read(batches, batchId, owner);
      assert.deepEqual([batch.status, batch.progress, batch.items.length], ['queued', 0, 2]);
      assert.equal((await batches.status(batchId, asOwner('somebody'))).outcome, 'not_found');
      assert.equal((await batches.cancel(batchId, asOwner('somebody'))).outcome, 'not_found');
      const item = await status(itemTaskId(batchId, 1), asOwner(owner));
      assert.ok(item.outcome === 'found' && item.snapshot.status === 'queued');
      assert.equal((await status(itemTaskId(batchId, 1), asOwner('somebody'))).outcome, 'not_found');
      assert.equal((await status(batchId, asOwner(owner))).outcome, 'not_found', 'a batch is no task');
    }
    await work();
    await untilEnded(other.batches, batchId, owner);
  });

  it('asks Temporal for no item that waits or has ended', async () => {
    let queries = 0;
    const { batches } = process({
      network: {
        query: (input, next) => {
          queries += 1;
          return next(input);
        },
      },
    });
    const owner = await richOwner(on.ledger);
    const batchId = await start(
      batches,
      owner,
      Array.from({ length: 50 }, (_, n) => `text ${n}`),
    );
    await read(batches, batchId, owner);
    await work();
    await rig.client.workflow.getHandle(batchRunId(batchId)).result();
    const before = queries;
    await untilEnded(batches, batchId, owner);
    assert.equal(queries, before);
  });

  it('cancels what of a batch has not ended, and keeps and charges what has', async () => {
    await work();
    const { batches } = process();
    const owner = await richOwner(on.ledger);
    const batchId = await start(batches, owner, ['quick', 'slow a', 'slow b']);
    await eventually(async () => {
      const { counts } = (await read(batches, batchId, owner)).batch;
      assert.deepEqual([counts.completed, counts.processing], [1, 2]);
    });
    assert.equal((await batches.cancel(batchId, asOwner(owner))).outcome, 'requested');
    const { items, status } = await untilEnded(batches, batchId, owner);
    assert.equal(status, 'completed');
    assert.deepEqual(
      items.map(({ error_code }) => error_code),
      [undefined, 'cancelled', 'cancelled'],
    );
    assert.equal((await batches.cancel(batchId, asOwner(owner))).outcome, 'nothing_to_do');
    assert.deepEqual((await on.ledger.getAccount(owner))!.tokens, { balance: 99_850, held: 0, available: 99_850 });
  });

  it('cancels an item that has no run yet, which does nothing then; support may let it run again', async () => {
    const { batches, status, cancel } = process();
    const owner = await richOwner(on.ledger);
    const batchId = await start(batches, owner, ['slow a', 'b']);
    const [first, second] = [0, 1].map((index) => itemTaskId(batchId, index)) as [string, string];
    assert.equal((await cancel(first, asOwner(owner))).outcome, 'requested');
    const cancelled = await status(first, asOwner(owner));
    assert.ok(cancelled.outcome === 'found' && 'error_code' in cancelled.snapshot);
    assert.equal(cancelled.snapshot.error_code, 'cancelled');
    assert.equal((await cancel(first, asOwner(owner))).outcome, 'nothing_to_do');
    await work();
    const { items } = await untilEnded(batches, batchId, owner);
    assert.deepEqual(
      items.map(({ task_id, status, error_code }) => [task_id, status, error_code]),
      [
        [first, 'failed', 'cancelled'],
        [second, 'completed', undefined],
      ],
    );
    const run = (await rig.client.workflow.getHandle(first).result()) as { error_code: string };
    assert.equal(run.error_code, 'cancelled');
    assert.equal((await on.ledger.getAccount(owner))!.tokens.balance, 99_850);

    const begin = () =>
      on.ledger.beginGeneration({ taskId: first, owner, manualPrompt: 'slow a', createdAt: new Date() });
    assert.equal((await begin()).ended?.status, 'failed');
    const retry = { taskId: first, runsAs: first, owner, charge: 'customer', by: BY, details: {} } as const;
    assert.equal(await createSupportLedger(on.db).noteRetry(retry), 'noted');
    assert.equal((await begin()).ended, null);
  });

  it('ends items whose batch was terminated before it started them, when their time is over', async () => {
    const { batches, status } = process();
    const owner = await richOwner(on.ledger);
    const batchId = await start(batches, owner, ['a', 'b']);
    await rig.client.workflow.getHandle(batchRunId(batchId)).terminate('a test');
    assert.equal((await read(batches, batchId, owner)).batch.status, 'queued');
    const age = `- $2 * interval '1 millisecond'`;
    for (const table of ['batches', 'generations'])
      await on.db.query(`UPDATE ${table} SET created_at = created_at ${age} WHERE owner = $1`, [
        owner,
        WORKFLOW_TIMEOUT_MS,
      ]);
    // The reconciler looks at them as a poll does.
    const first = await status(itemTaskId(batchId, 0), asOwner(owner));
    assert.ok(first.outcome === 'found' && 'error_code' in first.snapshot && first.snapshot.error_code === 'timed_out');
    const batch = await untilEnded(batches, batchId, owner);
    assert.deepEqual([batch.status, batch.counts.failed], ['failed', 2]);
    assert.equal((await on.ledger.listOverdue({ olderThanMs: 0, limit: 10 })).length, 0);
  });

  it('has nothing left of a batch that could not be started, and cancels it should it start all the same', async () => {
    const lost = new ServiceError('lost', { cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }) });
    const broken = process({
      network: {
        startWithDetails: async (input, next) => {
          await next(input);
          throw lost;
        },
      },
    });
    const owner = await richOwner(on.ledger);
    const manualPrompts = ['slow a', 'slow b'];
    const request = { owner, manualPrompts, requestId: 'r' };
    assert.deepEqual(bare(await broken.batches.start(request)), { outcome: 'unavailable' });
    await eventually(async () => {
      const page = await on.ledger.listGenerations(owner, { limit: 10 });
      assert.deepEqual(page?.generations, []);
    });
    await work();
    await eventually(async () => {
      const page = await on.ledger.listGenerations(owner, { limit: 10 });
      assert.deepEqual(
        page?.generations.map(({ ended }) => ended?.status),
        ['failed', 'failed'],
      );
    });
    assert.deepEqual((await on.ledger.getAccount(owner))!.tokens.balance, 100_000);

    // With a key it is the same batch when it is sent again.
    slow.open();
    assert.equal((await broken.batches.start({ ...request, idempotencyKey: 'k' })).outcome, 'unavailable');
    const { batches } = process();
    const batchId = await start(batches, owner, manualPrompts, 'k');
    assert.equal((await untilEnded(batches, batchId, owner)).status, 'completed');
  });

  it('reads an item that begins just now as it is: Temporal did not know it a moment before, the ledger does', async () => {
    const owner = await richOwner(on.ledger);
    const batchId = await start(process().batches, owner, ['slow']);
    const taskId = itemTaskId(batchId, 0);
    let isFirst = true;
    const getGeneration: Ledger['getGeneration'] = async (id) => {
      if (isFirst) {
        isFirst = false;
        await work();
        await eventually(async () => {
          assert.equal((await on.ledger.getGeneration(taskId))?.queued, false);
        });
      }
      return on.ledger.getGeneration(id);
    };
    const { status } = process({ ledger: { ...on.ledger, getGeneration } });
    const now = await status(taskId, asOwner(owner));
    assert.equal(now.outcome === 'found' && now.snapshot.status, 'processing');
    slow.open();
    assert.equal((await untilEnded(process().batches, batchId, owner)).status, 'completed');
    await assertInvariants(on.db, owner);
  });

  it('starts nothing while the ledger is away, and tells what it knew last', async () => {
    let away = false;
    const ledger = new Proxy(on.ledger, {
      get: (real, name): unknown => (away ? () => Promise.reject(new Error('ECONNREFUSED')) : Reflect.get(real, name)),
    });
    await work();
    const { batches } = process({ ledger });
    const owner = await richOwner(on.ledger);
    const batchId = await start(batches, owner, ['a']);
    const last = await untilEnded(batches, batchId, owner);
    const running = await start(batches, owner, ['slow']);
    await read(batches, running, owner);
    away = true;
    const more = await batches.status(running, asOwner(owner));
    assert.equal(more.outcome, 'unavailable', 'another process may have told more');
    const now = await read(batches, batchId, owner);
    assert.deepEqual(now.batch, last);
    assert.ok(now.staleAsOf);
    assert.equal((await batches.status(batchId, asOwner('somebody'))).outcome, 'not_found');
    assert.equal((await batches.status(randomUUID(), asOwner(owner))).outcome, 'unavailable');
    const refused = await batches.start({ owner, manualPrompts: ['a'], requestId: 'r' });
    assert.equal(refused.outcome, 'unavailable');
  });
});
