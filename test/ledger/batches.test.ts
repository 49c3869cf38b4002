import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { batchIdFrom, batchRunId, itemTaskId } from '../../src/contract/names.js';
import { atStep, queuedSnapshot, type GenerationEnd } from '../../src/contract/snapshot.js';
import type { StartLimits } from '../../src/ledger/types.js';
import { richOwner, UNLIMITED } from '../generations/support.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

const COMPLETED: GenerationEnd = {
  status: 'completed',
  prompt: 'You sell shoes.',
  generatedByAi: true,
  model: 'm',
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
};
const CANCELLED: GenerationEnd = { status: 'failed', failure: { code: 'cancelled' } };

onEachDatabase('Batches', (on) => {
  const newId = () => batchIdFrom(randomUUID());
  const admit = (
    owner: string,
    size: number,
    { batchId = newId(), hash = 'h', ...limits }: Partial<StartLimits> & { batchId?: string; hash?: string } = {},
  ) =>
    on.ledger.admitBatch({
      batchId,
      owner,
      requestHash: hash,
      items: Array.from({ length: size }, (_, n) => ({ taskId: itemTaskId(batchId, n), manualPrompt: `text ${n}` })),
      limits: { ...UNLIMITED, ...limits },
    });
  const countOf = async (table: string, owner: string): Promise<number> => {
    const [row] = await on.db.query<{ count: number }>(`SELECT count(*) FROM ${table} WHERE owner = $1`, [owner]);
    return row!.count;
  };
  const begin = (owner: string, taskId: string, manualPrompt: string) =>
    on.ledger.beginGeneration({ taskId, owner, manualPrompt, createdAt: new Date() });
  const statesOf = async (batchId: string) => (await on.ledger.getBatch(batchId))?.items.map(({ state }) => state);

  it('have all rows from their admission on, which say queued until a run begins', async () => {
    const owner = await richOwner(on.ledger);
    const batchId = newId();
    const admission = await admit(owner, 3, { batchId });
    assert.equal(admission.outcome, 'admitted');
    assert.deepEqual(await statesOf(batchId), ['queued', 'queued', 'queued']);
    const [first, second, third] = [0, 1, 2].map((n) => itemTaskId(batchId, n)) as [string, string, string];
    const row = await on.ledger.getGeneration(second);
    assert.deepEqual([row?.queued, row?.manualPrompt, row?.owner], [true, 'text 1', owner]);

    const told = queuedSnapshot({ taskId: third, owner, createdAt: new Date().toISOString() });
    await on.ledger.shareTold({ snapshot: told, asOf: told.created_at });
    assert.deepEqual(await statesOf(batchId), ['queued', 'queued', 'queued']);
    const begun = atStep(told, 'initializing', told.created_at);
    await on.ledger.shareTold({ snapshot: begun, asOf: told.created_at });
    assert.deepEqual(await statesOf(batchId), ['queued', 'queued', 'processing'], 'its run has said so');

    await on.ledger.putAccount(owner, { businessType: 'Shoes' }, BY);
    assert.equal((await begin(owner, first, 'text 0')).ended, null);
    assert.equal((await on.ledger.getGeneration(first))?.businessType, 'Shoes');
    await begin(owner, second, 'text 1');
    await on.ledger.endGeneration({ taskId: second, owner, end: { ...COMPLETED, generatedByAi: false } });
    await on.ledger.endGeneration({ taskId: third, owner, end: CANCELLED });
    const batch = await on.ledger.getBatch(batchId);
    assert.equal(batch?.owner, owner);
    assert.deepEqual(
      batch.items.map(({ taskId, state, failureCode, generatedByAi }) => [taskId, state, failureCode, generatedByAi]),
      [
        [first, 'processing', null, null],
        [second, 'completed', null, false],
        [third, 'failed', 'cancelled', null],
      ],
    );
    assert.equal(await on.ledger.getBatch(newId()), null);
  });

  it('have items that are ended before their run, or begin: never both, however close it comes', async () => {
    const owner = await richOwner(on.ledger);
    const batchId = newId();
    await admit(owner, 20, { batchId });
    const cancel = (taskId: string) => on.ledger.endQueued({ taskId, owner, end: CANCELLED });
    for (const n of Array(20).keys()) {
      const taskId = itemTaskId(batchId, n);
      const run = begin(owner, taskId, `text ${n}`);
      const [ended, start] = await Promise.all([cancel(taskId), run]);
      assert.equal(start.ended?.status, ended ? 'failed' : undefined);
      assert.equal((await on.ledger.getGeneration(taskId))?.ended?.status, ended ? 'failed' : undefined);
      assert.equal(await cancel(taskId), false, 'there is nothing left to end');
    }
    const [taskId, started] = [newId(), await richOwner(on.ledger)];
    await begin(started, taskId, 'text');
    assert.equal(await on.ledger.endQueued({ taskId, owner: started, end: CANCELLED }), false, 'no item');
  });

  it('are admitted whole or not at all, however many ask at once, beside single starts', async () => {
    for (const [limits, limit] of [
      [{ startsPerMinute: 50 }, 'starts'],
      [{ runningTasks: 50 }, 'running'],
    ] as const) {
      const owner = await richOwner(on.ledger);
      const single = () => on.ledger.admit({ owner, taskId: randomUUID(), limits: { ...UNLIMITED, ...limits } });
      const asked = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 4 === 0 ? single() : admit(owner, 7, limits))),
      );
      const admitted = asked.filter(({ outcome }) => outcome === 'admitted');
      const batches = await countOf('batches', owner);
      assert.equal(await countOf('generations', owner), batches * 7);
      const starts = await countOf('starts', owner);
      assert.equal(starts, batches * 7 + (admitted.length - batches));
      assert.ok(starts <= 50 && starts > 50 - 7, `${starts} places are taken`);
      const refused = asked.find(({ outcome }) => outcome === 'limited');
      assert.equal(refused?.outcome === 'limited' && refused.limit, limit);
    }
  });

  it('that have no room are told when there is some for all of their items', async () => {
    const owner = await richOwner(on.ledger);
    const limits = { startsPerMinute: 5 };
    for (const age of [50_000, 30_000, 10_000]) {
      await admit(owner, 1, limits);
      await on.db.query(
        `UPDATE starts SET started_at = now() - $2 * interval '1 millisecond' WHERE owner = $1 AND started_at > now() - interval '1 second'`,
        [owner, age],
      );
    }
    for (const [size, freeInMs] of [
      [3, 10_000],
      [4, 30_000],
      [5, 50_000],
    ] as const) {
      const refused = await admit(owner, size, limits);
      assert.ok(refused.outcome === 'limited', refused.outcome);
      assert.equal(refused.quota.starts, 2);
      assert.ok(Math.abs(refused.retryAfterMs - freeInMs) < 5_000, `${size}: ${refused.retryAfterMs}`);
    }
    assert.equal((await admit(owner, 2, limits)).outcome, 'admitted');
  });

  it('are known again by the same request, and take nothing then; another one under their id is told so', async () => {
    const owner = await richOwner(on.ledger);
    const batchId = newId();
    const same = await Promise.all(Array.from({ length: 10 }, () => admit(owner, 4, { batchId, startsPerMinute: 4 })));
    const outcomes = same.map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, ['admitted', ...Array.from({ length: 9 }, () => 'existing')]);
    const created = new Set(same.map((one) => ('createdAt' in one ? one.createdAt.getTime() : 0)));
    assert.equal(created.size, 1);
    assert.equal(await countOf('starts', owner), 4);
    assert.equal((await admit(owner, 4, { batchId, hash: 'other' })).outcome, 'key_reused');
    const before = await admit(owner, 4, { batchId });
    assert.equal('begun' in before && before.begun, false);
    await begin(owner, itemTaskId(batchId, 2), 'text 2');
    const after = await admit(owner, 4, { batchId });
    assert.equal('begun' in after && after.begun, true);
  });

  it('that came to nothing were never there, as far as none of their items has begun', async () => {
    const owner = await richOwner(on.ledger);
    const [never, begun] = [newId(), newId()];
    await admit(owner, 3, { batchId: never });
    await admit(owner, 3, { batchId: begun });
    await begin(owner, itemTaskId(begun, 1), 'text 1');
    await Promise.all([on.ledger.withdrawBatch(never), on.ledger.withdrawBatch(begun)]);
    assert.equal(await on.ledger.getBatch(never), null);
    assert.deepEqual(await statesOf(begun), ['processing']);
    assert.equal((await admit(owner, 9, { startsPerMinute: 10 })).outcome, 'admitted', 'their places are free again');
  });

  it('are erased with their owner: rows, runs and what may still start', async () => {
    const owner = await richOwner(on.ledger);
    const batchId = newId();
    await admit(owner, 2, { batchId });
    const { erasure } = await on.ledger.requestErasure(owner, BY);
    await on.ledger.eraseData(erasure.id);
    for (const table of ['batches', 'generations', 'starts']) assert.equal(await countOf(table, owner), 0, table);
    const runs = [batchRunId(batchId), itemTaskId(batchId, 0), itemTaskId(batchId, 1)].sort();
    const erased = { erasureId: erasure.id, limit: 10 };
    assert.deepEqual((await on.ledger.listErasedTasks(erased)).sort(), runs);
    await on.ledger.noteErasedRuns(runs.map((taskId) => ({ taskId, runs: 0 })));
    assert.deepEqual((await on.ledger.listErasedTasks(erased)).sort(), runs, 'each may still start');
    await assert.rejects(begin(owner, itemTaskId(batchId, 0), 'text 0'), { name: 'TaskErased' });
    assert.equal((await admit(owner, 2, { batchId })).outcome, 'erased');
  });

  it('cost what their items cost, each charged once and nothing held for it any more, whatever happens in which order', async () => {
    const happening = fc.record({
      item: fc.nat({ max: 4 }),
      what: fc.constantFrom('begin', 'hold', 'complete', 'fallback', 'fail', 'repeat' as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 40 }),
        fc.integer({ min: 0, max: 5_000 }),
        async (course, tokens) => {
          const owner = await richOwner(on.ledger, tokens + 1);
          const batchId = newId();
          await admit(owner, 5, { batchId });
          for (const [n, { item, what }] of course.entries()) {
            const taskId = itemTaskId(batchId, item);
            if (what === 'begin') await begin(owner, taskId, `text ${item}`);
            if (what === 'hold')
              await on.ledger.hold({
                holdId: `${taskId} ${n}`,
                taskId,
                owner,
                minimum: 700,
                wanted: 900,
                ttlMs: 60_000,
              });
            if (what === 'repeat') await admit(owner, 5, { batchId });
            if (what === 'complete') await on.ledger.endGeneration({ taskId, owner, end: COMPLETED });
            if (what === 'fallback')
              await on.ledger.endGeneration({ taskId, owner, end: { ...COMPLETED, generatedByAi: false } });
            if (what === 'fail') await on.ledger.endGeneration({ taskId, owner, end: CANCELLED });
            await assertInvariants(on.db, owner);
          }
          for (let item = 0; item < 5; item += 1)
            await on.ledger.endGeneration({ taskId: itemTaskId(batchId, item), owner, end: CANCELLED });
          await assertInvariants(on.db, owner);
          const { held, balance } = (await on.ledger.getAccount(owner))!.tokens;
          const rows = await on.db.query<{ charged: number }>(
            'SELECT coalesce(sum(tokens_charged), 0)::bigint AS charged FROM generations WHERE batch_id = $1',
            [batchId],
          );
          assert.deepEqual([held, balance], [0, tokens + 1 - rows[0]!.charged]);
        },
      ),
      { numRuns: 25 },
    );
  }).timeout(120_000);
});
