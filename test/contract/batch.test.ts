import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batchSnapshot, isBatchEnded, type ItemState } from '../../src/contract/batch.js';
import { BATCH_MAX_ITEMS, batchIdFrom, isTaskId, itemTaskId } from '../../src/contract/names.js';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:09.000Z';
const item = (status: ItemState['status'], progress: number, updated_at = AT): ItemState => ({
  task_id: 't',
  status,
  progress,
  updated_at,
});
const batchOf = (...items: ItemState[]) => batchSnapshot({ batchId: 'b', owner: 'ann', createdAt: AT }, items);

describe('A batch', () => {
  it('is what its items are: queued while all wait, processing while one goes on, completed where one is', () => {
    const [queued, running, completed, failed] = [
      item('queued', 0),
      item('processing', 50),
      item('completed', 100, LATER),
      item('failed', 100),
    ];
    for (const [items, status, progress, message] of [
      [[queued, queued], 'queued', 0, 'Batch queued, waiting to start...'],
      [[queued, running], 'processing', 25, 'Generating prompts: 0 of 2 done...'],
      [[queued, failed], 'processing', 50, 'Generating prompts: 1 of 2 done...'],
      [[completed, running, failed], 'processing', 83, 'Generating prompts: 2 of 3 done...'],
      [[completed, failed], 'completed', 100, '1 of 2 prompts generated'],
      [[failed, failed], 'failed', 100, '0 of 2 prompts generated'],
    ] as const) {
      const batch = batchOf(...items);
      assert.deepEqual([batch.status, batch.progress, batch.message], [status, progress, message]);
    }
    const { counts, updated_at, completed_at } = batchOf(completed, failed);
    assert.deepEqual(counts, { total: 2, queued: 0, processing: 0, completed: 1, failed: 1 });
    assert.deepEqual([updated_at, completed_at], [LATER, LATER]);
    assert.equal(batchOf(completed, running).completed_at, undefined);
  });

  it('has ended exactly when all of its items have, and never goes back while none of them does', () => {
    const step = fc.nat({ max: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(step, step), { minLength: 1, maxLength: BATCH_MAX_ITEMS }), (pairs) => {
        const at = (fives: number) => item(fives === 20 ? 'completed' : 'processing', fives * 5);
        const before = batchOf(...pairs.map(([one, other]) => at(Math.min(one, other))));
        const after = batchOf(...pairs.map(([one, other]) => at(Math.max(one, other))));
        assert.ok(after.progress >= before.progress);
        assert.equal(
          isBatchEnded(after),
          pairs.every((pair) => pair.includes(20)),
        );
      }),
    );
  });

  it('has items whose ids are those of tasks, each another one, in order, and from which its own id is made', () => {
    const batchId = batchIdFrom('8c1d5e2f-94ab-4f3c-b0d7-6e5a4b3c2d1f');
    const ids = Array.from({ length: BATCH_MAX_ITEMS }, (_, index) => itemTaskId(batchId, index));
    assert.ok(ids.every(isTaskId));
    assert.deepEqual([...new Set(ids)].sort(), ids);
    assert.ok(!ids.includes(batchId));
    assert.deepEqual(new Set(ids.map(batchIdFrom)), new Set([batchId]));
  });
});
