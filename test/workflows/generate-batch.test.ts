import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { BATCH_TIMEOUT_MS, WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import {
  BATCH_WORKFLOW_TYPE,
  batchIdFrom,
  batchRunId,
  itemTaskId,
  type GenerateBatchInput,
  type GeneratePromptInput,
  type GenerationMemo,
} from '../../src/contract/names.js';
import { attributePairs, firstAttributes } from '../../src/contract/search-attributes.js';
import type { Snapshot } from '../../src/contract/snapshot.js';
import { batchDetails } from '../../src/workflows/current-details.js';
import type { generateBatch } from '../../src/workflows/index.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities, storedEnd } from '../support/fake-activities.js';
import { gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';

const CREATED_AT = '2026-01-02T03:04:05.678Z';

describe('The workflow of a batch', () => {
  const rig = useRig();

  const start = async (manualPrompts: string[], { waitedMs = 0 } = {}) => {
    const batchId = batchIdFrom(randomUUID());
    const memo = { owner: 'ann', request_hash: 'h', request_id: 'r' } satisfies GenerationMemo;
    const input: GenerateBatchInput = {
      batchId,
      owner: 'ann',
      manualPrompts,
      createdAt: CREATED_AT,
      waitedMs,
      memo,
      summary: 'Generate a system prompt for ann',
      details: 'Details',
    };
    const handle = await rig.client.workflow.start<typeof generateBatch>(BATCH_WORKFLOW_TYPE, {
      workflowId: batchRunId(batchId),
      taskQueue: rig.taskQueue,
      workflowExecutionTimeout: BATCH_TIMEOUT_MS,
      memo,
      typedSearchAttributes: attributePairs({ owner: 'ann' }),
      priority: { fairnessKey: 'the turn of ann' },
      args: [input],
    });
    rig.replay(handle.workflowId);
    const items = manualPrompts.map((_, index) => itemTaskId(batchId, index));
    return { ...handle, batchId, items };
  };
  const item = (taskId: string) => rig.client.workflow.getHandle(taskId);

  it('starts all items at once, each a run like any other, and ends after the last one', async () => {
    const step = gate();
    const fake = fakeActivities();
    await rig.work({
      ...fake,
      generateWithAI: async (input) => {
        await step.opened;
        return fake.generateWithAI(input);
      },
    });
    const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
    const batch = await start(texts);
    await eventually(async () => {
      const all = await Promise.all(batch.items.map((taskId) => rig.progress(taskId)));
      assert.deepEqual(new Set(all.map(({ progress }) => progress)), new Set([50]));
      assert.deepEqual(new Set(all.map(({ created_at }) => created_at)), new Set([CREATED_AT]));
    });
    step.open();
    assert.deepEqual(await batch.result(), { total: 20, completed: 20, failed: 0 });
    const begun = fake.calls.filter(({ name }) => name === 'initialize').map(({ input }) => input as object);
    assert.deepEqual(begun.map((input) => 'manualPrompt' in input && input.manualPrompt).sort(), [...texts].sort());
    assert.ok(begun.every((input) => 'createdAt' in input && input.createdAt === CREATED_AT));
  });

  it('lets operators find and tell its items apart, and follow how many have ended', async () => {
    await rig.work(fakeActivities());
    const batch = await start(['a', 'b']);
    await batch.result();
    const second = await item(batch.items[1]!).describe();
    assert.equal(await second.staticSummary(), 'Generate a system prompt for ann (2 of 2)');
    assert.equal(await second.staticDetails(), 'Details');
    assert.equal(second.raw.workflowExecutionInfo?.priority?.fairnessKey, 'the turn of ann');
    assert.equal((second.memo as unknown as GenerationMemo).request_id, 'r');
    const found = new Map(second.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    for (const { key } of attributePairs(firstAttributes('ann'))) assert.ok(found.has(key.name), key.name);
    await eventually(async () => {
      const children = [];
      for await (const { workflowId } of rig.client.workflow.list({
        query: `ParentWorkflowId = '${batch.workflowId}'`,
      }))
        children.push(workflowId);
      assert.deepEqual(children.sort(), batch.items);
    });
    assert.match(batchDetails(batch.batchId, { total: 2, completed: 1, failed: 0 }), /1 of 2 items go on/);
  });

  it('ends with what its items came to, though some fail', async () => {
    await rig.work(
      fakeActivities({
        initialize: ({ manualPrompt }) =>
          manualPrompt === 'broken'
            ? Promise.reject(ApplicationFailure.nonRetryable('broken'))
            : fakeActivities().initialize({ taskId: '', owner: '', manualPrompt, createdAt: '' }),
        checkTokens: ({ taskId }) =>
          Promise.resolve(
            taskId.endsWith('02')
              ? { outcome: 'refused', refusal: { code: 'no_subscription' } }
              : { outcome: 'held', heldTokens: 3_100, maxOutputTokens: 3_000 },
          ),
      }),
    );
    const batch = await start(['fine', 'refused', 'broken']);
    assert.deepEqual(await batch.result(), { total: 3, completed: 1, failed: 2 });
  });

  it('cancels all items that go on when it is cancelled, and ends after they have settled their money', async () => {
    const fake = fakeActivities({
      generateWithAI: (input) =>
        input.manualPrompt === 'quick' ? fakeActivities().generateWithAI(input) : Context.current().cancelled,
    });
    await rig.work(fake);
    const batch = await start(['quick', 'slow', 'slow too']);
    await eventually(async () => {
      assert.equal((await item(batch.items[0]!).describe()).status.name, 'COMPLETED');
    });
    await eventually(async () => {
      for (const taskId of batch.items.slice(1)) assert.equal((await rig.progress(taskId)).progress, 50);
    });
    await batch.cancel();
    const error: unknown = await batch.result().catch((failure: unknown) => failure);
    assert.ok(error instanceof WorkflowFailedError && error.cause?.name === 'CancelledFailure');
    const ends = fake.calls.filter(({ name }) => name === 'finalize').map(({ input }) => input as { end: object });
    assert.deepEqual(ends.map(({ end }) => 'failure' in end && end.failure).slice(1), [
      { code: 'cancelled' },
      { code: 'cancelled' },
    ]);
    for (const taskId of batch.items.slice(1)) assert.equal((await item(taskId).describe()).status.name, 'CANCELLED');
  });

  it('that is cancelled before it ran starts its items all the same, so that each ends by itself', async () => {
    const batch = await start(['a', 'b']);
    await batch.cancel();
    const fake = fakeActivities({ generateWithAI: () => Context.current().cancelled });
    await rig.work(fake);
    await assert.rejects(batch.result(), { name: 'WorkflowFailedError' });
    for (const taskId of batch.items) assert.equal((await item(taskId).describe()).status.name, 'CANCELLED');
    const ended = fake.calls.flatMap(({ name, input }) =>
      name === 'finalize' ? (input as { taskId: string }).taskId : [],
    );
    assert.deepEqual(ended.sort(), batch.items);
  });

  it('that is terminated leaves no item that goes on: each is cancelled and settles its money', async () => {
    const fake = fakeActivities({ generateWithAI: () => Context.current().cancelled });
    await rig.work(fake);
    const batch = await start(['a', 'b']);
    await eventually(async () => {
      for (const taskId of batch.items) assert.equal((await rig.progress(taskId)).progress, 50);
    });
    await rig.client.workflow.getHandle(batch.workflowId).terminate('a test');
    await eventually(async () => {
      for (const taskId of batch.items) assert.equal((await item(taskId).describe()).status.name, 'CANCELLED');
    });
    const ended = fake.calls.flatMap(({ name, input }) =>
      name === 'finalize' ? (input as { taskId: string }).taskId : [],
    );
    assert.deepEqual(ended.sort(), batch.items);
  });

  it('goes on at another worker, and starts no item twice, wherever its worker ends', async () => {
    const fake = fakeActivities();
    const texts = Array.from({ length: 30 }, (_, n) => `text ${n}`);
    const begun = gate();
    const stop = await rig.work({
      ...fake,
      initialize: (input) => {
        begun.open();
        return fake.initialize(input);
      },
    });
    const batch = await start(texts);
    await begun.opened;
    await stop();
    await rig.work(fake);
    assert.deepEqual(await batch.result(), { total: 30, completed: 30, failed: 0 });
    const finalized = fake.calls.flatMap(({ name, input }) =>
      name === 'finalize' ? (input as { taskId: string }).taskId : [],
    );
    assert.deepEqual([...new Set(finalized)].sort(), batch.items);
  });

  it('that was reset by an operator starts nothing again', async () => {
    const fake = fakeActivities({ finalize: ({ end }) => Promise.resolve(storedEnd(end)) });
    await rig.work(fake);
    const batch = await start(['a', 'b']);
    await batch.result();
    const before = fake.calls.length;
    const { namespace } = rig.client.options;
    await rig.client.workflowService.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: batch.workflowId, runId: batch.firstExecutionRunId },
      reason: 'a test',
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
    });
    assert.deepEqual(await rig.client.workflow.getHandle(batch.workflowId).result(), {
      total: 2,
      completed: 0,
      failed: 2,
    });
    assert.equal(fake.calls.length, before);
  });

  it('gives its items the time that is left since it was asked for', async () => {
    const batch = await start(['a'], { waitedMs: 30_000 });
    await rig.work(fakeActivities());
    await batch.result();
    const { events } = await item(batch.items[0]!).fetchHistory();
    const started = events![0]!.workflowExecutionStartedEventAttributes!;
    const { seconds, nanos } = started.workflowExecutionTimeout!;
    const [payload] = started.input!.payloads!;
    const input = JSON.parse(Buffer.from(payload!.data!).toString()) as Required<GeneratePromptInput>;
    assert.equal(input.batch.createdAt, CREATED_AT);
    assert.ok(input.batch.waitedMs >= 30_000);
    assert.equal(Number(seconds) * 1_000 + nanos! / 1e6, WORKFLOW_TIMEOUT_MS - input.batch.waitedMs);
  });

  it('shows items that begin late as timed out, not charged, where their time is over', async () => {
    const fake = fakeActivities();
    await rig.work(fake);
    const handle = await rig.start({ batch: { createdAt: CREATED_AT, waitedMs: WORKFLOW_TIMEOUT_MS - 1_000 } });
    const end: Snapshot = await handle.result();
    assert.deepEqual([end.status, 'error_code' in end && end.error_code], ['failed', 'timed_out']);
  });
});
