import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Failure } from '../../src/contract/failures.js';
import { batchIdFrom, itemTaskId } from '../../src/contract/names.js';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import type { Database } from '../../src/ledger/database.js';
import { MIGRATIONS } from '../../src/ledger/migrations/index.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import type { SupportLedger, TaskQuery } from '../../src/ledger/support-types.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';

const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const byAi = (generatedByAi: boolean): GenerationEnd => ({
  status: 'completed',
  prompt: 'You sell zanzibar shoes.',
  generatedByAi,
  model: 'm',
  usage: USAGE,
});
const failed = (failure: Failure): GenerationEnd => ({ status: 'failed', failure });

onEachDatabase("Support's records", (on) => {
  let records: SupportLedger;
  let owner: string;

  beforeEach(() => {
    records = createSupportLedger(on.db);
    owner = randomUUID();
  });

  /** A task created at that second. */
  const task = async (second: number, end?: GenerationEnd, reason?: string, by = owner): Promise<string> => {
    const taskId = randomUUID();
    const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    await on.ledger.beginGeneration({ taskId, owner: by, manualPrompt: 'zanzibar', createdAt });
    if (end) await on.ledger.endGeneration({ taskId, owner: by, end, reason });
    return taskId;
  };
  const found = async (query: Partial<TaskQuery> = {}) => {
    const page = await records.findTasks({ limit: 100, owner, ...query });
    return page?.tasks.map(({ taskId }) => taskId);
  };

  it('find tasks by state, code, time, id and text of the error, of all owners', async () => {
    const [running, completed, fallback, internal, poor] = [
      await task(1),
      await task(2, byAi(true)),
      await task(3, byAi(false), 'generateWithAI: The model answered 401'),
      await task(4, failed({ code: 'internal' }), 'finalize: timed out'),
      await task(5, failed({ code: 'insufficient_tokens', required: 700, available: 250 })),
    ];
    assert.deepEqual(await found(), [poor, internal, fallback, completed, running]);
    assert.deepEqual(await found({ state: 'processing' }), [running]);
    assert.deepEqual(await found({ state: 'completed' }), [completed]);
    assert.deepEqual(await found({ state: 'fallback' }), [fallback]);
    assert.deepEqual(await found({ state: 'failed' }), [poor, internal]);
    assert.deepEqual(await found({ code: 'internal' }), [internal]);
    const [from, to] = [new Date('2026-01-01T00:00:02Z'), new Date('2026-01-01T00:00:04Z')];
    assert.deepEqual(await found({ from, to }), [fallback, completed]);
    assert.deepEqual(await found({ error: { text: 'ANSWERED 401', codes: [] } }), [fallback]);
    assert.deepEqual(await found({ error: { text: '%', codes: ['insufficient_tokens'] } }), [poor]);
    const other = await task(6, undefined, undefined, 'somebody else');
    assert.deepEqual(await found({ owner: undefined, taskId: other }), [other]);
    assert.deepEqual(await found({ taskId: other }), []);
    const batchId = batchIdFrom(randomUUID());
    const items = [0, 1].map((n) => ({ taskId: itemTaskId(batchId, n), manualPrompt: 'p' }));
    const limits = { startsPerMinute: 9, runningTasks: 9 };
    await on.ledger.admitBatch({ batchId, owner, requestHash: 'h', items, limits });
    assert.deepEqual(
      (await found({ taskId: batchId }))?.sort(),
      items.map(({ taskId }) => taskId),
      'those of a batch',
    );
  });

  it('show no text of a task, only how long its texts are', async () => {
    const taskId = await task(1, byAi(true));
    const record = await records.getTask(taskId);
    assert.deepEqual(record?.characters, { manualPrompt: 8, prompt: 24 });
    const page = await records.findTasks({ limit: 1, taskId });
    assert.deepEqual(page?.tasks, [record]);
    assert.doesNotMatch(JSON.stringify([record, page]), /zanzibar/);
  });

  it('are page by page, without a gap or a repetition, those of the same moment by their id', async () => {
    const all = [await task(1), await task(1), await task(1), await task(2), await task(3)];
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await records.findTasks({ owner, limit: 2, cursor });
      assert.ok(page);
      seen.push(...page.tasks.map(({ taskId }) => taskId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(seen, [all[4], all[3], ...all.slice(0, 3).sort()]);
    const noTask = Buffer.from(`task:${randomUUID()}`).toString('base64url');
    for (const wrong of ['nonsense', noTask]) assert.equal(await records.findTasks({ limit: 1, cursor: wrong }), null);
  });

  it('say what was held and charged, and whose a task is that was only started', async () => {
    await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner, tokens: 5_000, reason: 'test', key: 'first', by: BY });
    const taskId = await task(1);
    await on.ledger.hold({ holdId: `${taskId}/1`, taskId, owner, minimum: 700, wanted: 3_000, ttlMs: 60_000 });
    assert.equal((await records.getTask(taskId))?.held, 3_000);
    assert.equal((await records.listHolds(taskId))[0]?.state, 'open');
    await on.ledger.endGeneration({ taskId, owner, end: byAi(true) });
    const { held, charged } = (await records.getTask(taskId))!;
    assert.deepEqual([held, charged], [0, 3]);
    const [hold] = await records.listHolds(taskId);
    assert.deepEqual([hold?.state, hold?.tokens, hold?.charged], ['settled', 3_000, 3]);

    const started = randomUUID();
    await on.ledger.admit({ owner, taskId: started, limits: { startsPerMinute: 9, runningTasks: 9 } });
    assert.deepEqual(
      [await records.ownerOf(taskId), await records.ownerOf(started), await records.ownerOf(randomUUID())],
      [owner, owner, null],
    );
  });

  it('reveal the texts together with a line that says to whom and why', async () => {
    const taskId = await task(1, byAi(true));
    const by = { actor: 'support-1', requestId: 'r' };
    const texts = await records.revealTexts(taskId, 'Ticket 4711', by);
    assert.deepEqual(texts, { manualPrompt: 'zanzibar', prompt: 'You sell zanzibar shoes.' });
    const page = await on.ledger.listActions({ target: taskId, limit: 10 });
    assert.deepEqual(
      page?.actions.map(({ action, actor, details }) => [action, actor, details]),
      [['reveal_texts', 'support-1', { reason: 'Ticket 4711', owner }]],
    );
    const none = randomUUID();
    assert.equal(await records.revealTexts(none, 'Ticket 4711', by), null);
    assert.deepEqual((await on.ledger.listActions({ target: none, limit: 10 }))?.actions, []);
  });

  it('are found by an index, however much there is', async () => {
    await on.db.query(
      `INSERT INTO generations (task_id, owner, manual_prompt, created_at, ended_at, status, failure)
       SELECT gen_random_uuid()::text, 'owner ' || n % 5, 'text', now() - n * interval '1 second',
         CASE WHEN n % 50 = 0 THEN now() END, CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'processing' END,
         CASE WHEN n % 50 = 0 THEN '{"code": "internal"}'::jsonb END
       FROM generate_series(1, 10000) n`,
    );
    await on.db.run('ANALYZE generations');
    let asked: Parameters<Database['query']>;
    const spied = createSupportLedger({
      ...on.db,
      query: (...args) => {
        asked = args;
        return on.db.query(...args);
      },
    });
    const { nextCursor } = (await records.findTasks({ limit: 100 }))!;
    for (const [query, index] of [
      [{}, 'generations_by_time'],
      [{ from: new Date(Date.now() - 60_000) }, 'generations_by_time'],
      [{ state: 'failed' }, 'generations_without_ai'],
      [{ code: 'internal' }, 'generations_without_ai'],
      [{ error: { text: 'x', codes: ['internal'] } }, 'generations_without_ai'],
    ] as const) {
      for (const cursor of [undefined, nextCursor!]) {
        await spied.findTasks({ limit: 20, ...query, cursor });
        const [text, params] = asked!;
        const lines = await on.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, params);
        const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
        assert.match(plan, new RegExp(`Index Scan (using|on) ${index}`), plan);
        assert.doesNotMatch(plan, /Seq Scan on generations/, plan);
      }
    }
  });

  it('say how the database is, and how tasks ended of late', async () => {
    // Tasks of the tests before, whose time would be over in the middle of this one.
    await on.db.query('DELETE FROM generations WHERE ended_at IS NULL');
    const before = await records.examine();
    assert.equal(before.stuckTasks, 0);
    assert.match(before.version, /^\d+/);
    assert.deepEqual(before.migrations, { applied: MIGRATIONS.length, known: MIGRATIONS.length, missing: [] });
    await on.db.query(
      `INSERT INTO generations (task_id, owner, manual_prompt, created_at) VALUES ($1, $2, '', now() - interval '1 hour')`,
      [randomUUID(), owner],
    );
    const now = async (end: GenerationEnd, reason?: string): Promise<void> => {
      const taskId = randomUUID();
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'x', createdAt: new Date() });
      await on.ledger.endGeneration({ taskId, owner, end, reason });
    };
    await now(byAi(true));
    for (let n = 0; n < 2; n++) await now(byAi(false), 'generateWithAI: zanzibar');
    await now(failed({ code: 'internal' }), 'finalize: timed out');
    await now(failed({ code: 'cancelled' }));
    const after = await records.examine();
    assert.equal(after.stuckTasks, 1);
    assert.deepEqual(
      [after.recent.completed, after.recent.fallback, after.recent.failed].map(
        (count, n) => count - [before.recent.completed, before.recent.fallback, before.recent.failed][n]!,
      ),
      [1, 2, 1],
    );
    assert.equal(after.recent.reason, 'generateWithAI: zanzibar');
  });
});
