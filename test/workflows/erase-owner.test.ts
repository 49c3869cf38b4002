import assert from 'node:assert/strict';
import { Client, ServiceError, WorkflowNotFoundError, type WorkflowClientInterceptor } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createDeleteErasedRuns, createEraseActivities, type EraseDeps } from '../../src/activities/erase-owner.js';
import { createActivities } from '../../src/activities/index.js';
import { WORKFLOW_TYPE } from '../../src/contract/names.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import { createRuns } from '../../src/generations/runs.js';
import type { Llm } from '../../src/llm/llm.js';
import { asOwner, bare, quiet, richOwner, UNLIMITED, useLedger } from '../generations/support.js';
import { assertFinished } from '../support/assert-finished.js';
import { BY } from '../support/by.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';

/** Temporal deletes at its leisure. */
const WAIT_MS = 90_000;

describe('Erasing an owner', function () {
  this.timeout(150_000);
  const on = useLedger();
  const rig = useRig();
  let slow: Gate;

  beforeEach(() => {
    slow = gate();
  });

  const door = (network: WorkflowClientInterceptor = {}) => {
    const { connection } = rig.env;
    const interceptors = { workflow: [network] };
    const client = new Client({ connection, workflow: { queryRejectCondition: 'NOT_OPEN' }, interceptors });
    return createGenerations({
      client,
      ledger: on.ledger,
      log: quiet,
      limits: UNLIMITED,
      taskQueue: rig.taskQueue,
      assignKey: () => Promise.resolve(),
    });
  };
  /** "slow" is answered when the test says, whether or not anybody still waits for it. */
  const generate: Llm['generate'] = async ({ user }) => {
    if (user.startsWith('slow')) await slow.opened;
    const usage = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };
    return { text: 'You are kind.', model: 'm', usage, finishReason: 'stop' };
  };
  const work = (own: Partial<EraseDeps> = {}) =>
    rig.work({
      ...createActivities({
        ledger: on.ledger,
        llm: { generate },
        modelId: 'm',
        tellWorkflow: () => Promise.resolve(),
        showText: () => undefined,
        minimumTokens: 700,
        maxOutputTokens: 3_000,
      }),
      ...createEraseActivities({
        ledger: on.ledger,
        ...createRuns(rig.client),
        forgetKeys: () => Promise.resolve(),
        ...own,
      }),
    });
  const start = async (owner: string, manualPrompt: string, idempotencyKey?: string): Promise<string> => {
    const result = await door().start({ owner, manualPrompt, idempotencyKey, requestId: 'r' });
    assert.ok(result.outcome === 'started', result.outcome);
    return result.taskId;
  };
  const ended = async (owner: string, manualPrompt = 'x', key?: string): Promise<string> => {
    const taskId = await start(owner, manualPrompt, key);
    assert.equal((await door().waitForEnd(taskId, asOwner(owner), 20_000)).outcome, 'ended');
    return taskId;
  };
  const describe = (taskId: string) => rig.client.workflow.getHandle(taskId).describe();
  const isGone = (taskId: string) => assert.rejects(describe(taskId), WorkflowNotFoundError);
  /** As an operator does: its last step runs once more, in a run of its own. */
  const reset = async (taskId: string): Promise<void> => {
    const { events } = await rig.client.workflow.getHandle(taskId).fetchHistory();
    const completed = events!.filter(({ workflowTaskCompletedEventAttributes: attributes }) => attributes);
    await rig.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: taskId },
      reason: 'test',
      workflowTaskFinishEventId: completed[0]!.eventId!,
      requestId: taskId,
    });
    await rig.client.workflow.getHandle(taskId).result();
  };

  it('deletes every run of every task, whatever its state, and of nobody else', async () => {
    const [ann, bob] = [await richOwner(on.ledger), await richOwner(on.ledger)];
    await work();
    const tasks = [await ended(ann, 'x', 'key'), await ended(ann, 'reset'), await start(ann, 'slow')];
    await reset(tasks[1]!);
    const ofBob = await ended(bob);
    const here = door();
    await eventually(async () => {
      const result = await here.status(tasks[2]!, asOwner(ann));
      assert.equal(result.outcome === 'found' && result.snapshot.progress, 50);
    });
    // From here on this process knows it by heart.
    assert.equal((await here.status(tasks[0]!, asOwner(ann))).outcome, 'found');
    const { balance } = (await on.ledger.getAccount(ann))!.tokens;

    const result = await here.eraseOwner(ann, BY, WAIT_MS);
    const erasure = assertFinished(result);
    rig.replay(`erase ${erasure.id}`);
    assert.deepEqual(erasure.erased, { keys: 0, generations: 3, starts: 3, workflowRuns: 4 });
    for (const taskId of tasks) {
      await isGone(taskId);
      assert.equal((await here.status(taskId, asOwner(ann))).outcome, 'not_found');
    }
    const list = await here.list(ann, { limit: 10 });
    assert.deepEqual(list.outcome === 'listed' && list.generations, []);
    assert.equal((await describe(ofBob)).status.name, 'COMPLETED');
    assert.equal((await here.status(ofBob, asOwner(bob))).outcome, 'found');

    // The answer that nobody waits for any more brings nothing back.
    slow.open();
    const again = { owner: ann, manualPrompt: 'x', idempotencyKey: 'key', requestId: 'r' };
    assert.deepEqual(bare(await here.start(again)), { outcome: 'erased' }, 'its key is used up');
    await ended(ann, 'another one');
    assert.equal(await on.ledger.getGeneration(tasks[2]!), null);
    const tokens = (await on.ledger.getAccount(ann))!.tokens;
    assert.deepEqual(tokens, { balance: balance - 150, held: 0, available: balance - 150 }, 'only the new one is paid');
  });

  it('goes on where a worker broke off, and the receipt is right all the same', async () => {
    const owner = await richOwner(on.ledger);
    const stop = await work({ deleteRun: () => Promise.reject(new Error('the worker breaks here')) });
    const taskId = await ended(owner);
    const first = await door().eraseOwner(owner, BY, 500);
    assert.ok(first.outcome === 'erasing' && first.erasure.finishedAt === null, 'it goes on');
    const runId = `erase ${first.erasure.id}`;
    rig.replay(runId);
    await eventually(async () => {
      const [pending] = (await describe(runId)).raw.pendingActivities ?? [];
      assert.ok((pending?.attempt ?? 0) > 1, 'it is tried again');
    });
    await stop();
    assert.equal((await describe(taskId)).status.name, 'COMPLETED', 'it is still there');
    await work();
    const second = assertFinished(await door().eraseOwner(owner, BY, WAIT_MS));
    assert.equal(second.id, first.erasure.id, 'the same erasure');
    assert.deepEqual(second.erased, { keys: 0, generations: 1, starts: 1, workflowRuns: 1 });
    await isGone(taskId);
  });

  it('has a run deleted later that came although its task was erased', async () => {
    const owner = await richOwner(on.ledger);
    await work();
    const taskId = await ended(owner);
    rig.replay(`erase ${assertFinished(await door().eraseOwner(owner, BY, WAIT_MS)).id}`);
    // Started while the ledger could not be asked.
    const handle = await rig.client.workflow.start(WORKFLOW_TYPE, {
      workflowId: taskId,
      taskQueue: rig.taskQueue,
      memo: { owner },
      args: [{ owner, manualPrompt: 'x' }],
    });
    await assert.rejects(handle.result());
    assert.equal((await door().status(taskId, asOwner(owner))).outcome, 'not_found');
    assert.equal(await on.ledger.getGeneration(taskId), null);
    const round = createDeleteErasedRuns({ ledger: on.ledger, ...createRuns(rig.client) });
    assert.deepEqual(await new MockActivityEnvironment().run(() => round()), { tasks: 1, runs: 1 });
    await eventually(() => isGone(taskId), { timeoutMs: WAIT_MS, everyMs: 500 });
    await new MockActivityEnvironment().run(() => round());
    assert.deepEqual(await on.ledger.listErasedTasks({ limit: 10 }), []);
  });

  it('does nothing where Temporal is away, and says so', async () => {
    const owner = await richOwner(on.ledger);
    const away = door({ start: () => Promise.reject(new ServiceError('away')) });
    assert.deepEqual(await away.eraseOwner(owner, BY, 500), { outcome: 'unavailable' });
    assert.equal(await on.ledger.getErasure(owner), null);
  });
});
