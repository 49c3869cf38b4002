import { randomUUID } from 'node:crypto';
import { batchRunId } from '../contract/names.js';
import { lockAccount } from './accounts.js';
import { recordAction } from './admin-actions.js';
import { onlyRow, type Database, type Queryable } from './database.js';
import { destroyKeys } from './destroy-keys.js';
import { resolveExpired, resolveHolds, type OpenHold } from './holds.js';
import type { By, Erasure, Erasures } from './types.js';

/** A slow Temporal may carry out a start this long after it was asked to. The runs of batches are erased as tasks are. */
const MAY_START_FOR_MS = 30_000;
/** Of an owner with millions of tasks a statement takes minutes. */
const LONG = { statementMs: 30 * 60_000 };

interface ErasureRow {
  id: string;
  owner: string;
  requested_at: Date;
  requested_by: string;
  request_id: string | null;
  erased_at: Date | null;
  keys: number;
  generations: number;
  starts: number;
  ledger_entries: number;
  finished_at: Date | null;
  runs: number;
}

const ERASURE = `
  SELECT e.*, (SELECT coalesce(sum(t.runs), 0)::bigint FROM erased_tasks t WHERE t.erasure_id = e.id) AS runs
  FROM erasures e`;

/** The part of the ledger that forgets; see `Erasures`. */
export const createErasures = (db: Database): Erasures => ({
  requestErasure: (owner, by) => db.transaction((tx) => requestErasure(tx, owner, by)),
  async withdrawErasure(erasureId) {
    await db.query('DELETE FROM erasures WHERE id = $1 AND erased_at IS NULL', [erasureId]);
  },
  async eraseData(erasureId) {
    await db.transaction((tx) => eraseData(tx, erasureId), LONG);
    // Not within it: a worker that announces a step of one of these tasks would wait for minutes, and all its others with it.
    await db.transaction((tx) => forgetTold(tx, erasureId), LONG);
  },
  async listErasedTasks({ erasureId, limit }) {
    const of = (erasures: string, params: unknown[]) =>
      db.query<{ task_id: string }>(
        `SELECT task_id FROM erased_tasks WHERE gone_at IS NULL AND erasure_id ${erasures} ORDER BY task_id LIMIT $1`,
        [limit, ...params],
      );
    const rows =
      erasureId === undefined
        ? await of('IN (SELECT id FROM erasures WHERE finished_at IS NOT NULL)', [])
        : await of('= $2', [erasureId]);
    return rows.map(({ task_id }) => task_id);
  },
  async noteErasedRuns(found) {
    await db.query(
      `UPDATE erased_tasks t SET runs = greatest(t.runs, f.runs),
         gone_at = CASE WHEN f.runs = 0 AND coalesce(t.may_start_until < now(), true) THEN now() END
       FROM unnest($1::text[], $2::bigint[]) AS f (task_id, runs) WHERE t.task_id = f.task_id`,
      [found.map(({ taskId }) => taskId), found.map(({ runs }) => runs)],
    );
  },
  async finishErasure(erasureId) {
    await db.query('UPDATE erasures SET finished_at = now() WHERE id = $1 AND finished_at IS NULL', [erasureId]);
    return db.transaction((tx) => findErasure(tx, 'WHERE e.id = $1', erasureId), LONG);
  },
  getErasure: (owner) => findErasure(db, 'WHERE e.owner = $1 ORDER BY e.requested_at DESC LIMIT 1', owner),
});

async function requestErasure(tx: Queryable, owner: string, by: By): ReturnType<Erasures['requestErasure']> {
  const added = await tx.query(
    `INSERT INTO erasures (id, owner, requested_by, request_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (owner) WHERE finished_at IS NULL DO NOTHING RETURNING id`,
    [randomUUID(), owner, by.actor, by.requestId],
  );
  const erasure = await findErasure(tx, 'WHERE e.owner = $1 AND e.finished_at IS NULL', owner);
  if (!erasure) throw new Error('An erasure finished while another was asked for');
  return { erasure, isNew: added.length > 0 };
}

/**
 * In one transaction. It locks the account before anything else, as all that moves money does; then the owner's starts and
 * the rows of generations (migration 7), as an owner without an account has these, too.
 */
async function eraseData(tx: Queryable, erasureId: string): Promise<void> {
  const [requested] = await tx.query<{ owner: string }>('SELECT owner FROM erasures WHERE id = $1', [erasureId]);
  if (!requested) return;
  const { owner } = requested;
  const account = await lockAccount(tx, owner);
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('starts:' || $1, 0))", [owner]);
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('erasure:' || $1, 0))", [owner]);
  const [row] = await tx.query<ErasureRow>('SELECT * FROM erasures WHERE id = $1 FOR UPDATE', [erasureId]);
  if (!row || row.erased_at) return;

  if (account) await releaseHolds(tx, owner);
  await tx.query(
    `INSERT INTO erased_tasks (task_id, erasure_id, may_start_until)
     SELECT task_id, $2, CASE WHEN g.queued IS NOT FALSE THEN s.started_at + $3 * interval '1 millisecond' END
     FROM (SELECT task_id, queued FROM generations WHERE owner = $1) g
       FULL JOIN (SELECT task_id, started_at FROM starts WHERE owner = $1) s USING (task_id)
     UNION ALL SELECT $4 || batch_id, $2, created_at + $3 * interval '1 millisecond' FROM batches WHERE owner = $1
     ON CONFLICT (task_id) DO NOTHING`,
    [owner, erasureId, MAY_START_FOR_MS, batchRunId('')],
  );
  const keys = await destroyKeys(tx, owner);
  const { generations, starts, entries } = onlyRow(
    await tx.query<{ generations: number; starts: number; entries: number }>(
      `WITH g AS (DELETE FROM generations WHERE owner = $1 RETURNING 1), s AS (DELETE FROM starts WHERE owner = $1 RETURNING 1),
         b AS (DELETE FROM batches WHERE owner = $1)
       SELECT (SELECT count(*) FROM g) AS generations, (SELECT count(*) FROM s) AS starts,
         (SELECT count(*) FROM entries WHERE owner = $1) AS entries`,
      [owner],
    ),
  );
  await tx.query(
    `UPDATE erasures SET erased_at = clock_timestamp(), keys = $2, generations = $3, starts = $4, ledger_entries = $5
     WHERE id = $1`,
    [erasureId, keys, generations, starts, entries],
  );
  await recordAction(tx, {
    by: { actor: row.requested_by, requestId: row.request_id },
    action: 'erase_owner',
    target: owner,
    details: { erasure_id: erasureId, keys, generations, starts, ledger_entries_kept: entries },
  });
}

/** In the order in which workers announce, so that neither waits for the other. */
async function forgetTold(tx: Queryable, erasureId: string): Promise<void> {
  await tx.query(
    `DELETE FROM told WHERE task_id IN (
       SELECT t.task_id FROM told t JOIN erased_tasks e USING (task_id) WHERE e.erasure_id = $1
       ORDER BY t.task_id FOR UPDATE OF t)`,
    [erasureId],
  );
}

/** What is set aside for tasks that go on nowhere is free again. */
async function releaseHolds(tx: Queryable, owner: string): Promise<void> {
  await resolveExpired(tx, owner);
  const open = await tx.query<OpenHold>('SELECT hold_id, tokens, false AS expired FROM open_holds WHERE owner = $1', [
    owner,
  ]);
  await resolveHolds(tx, owner, open, 'released');
}

async function findErasure(db: Queryable, where: string, value: string): Promise<Erasure | null> {
  const [row] = await db.query<ErasureRow>(`${ERASURE} ${where}`, [value]);
  if (!row) return null;
  return {
    id: row.id,
    owner: row.owner,
    requestedAt: row.requested_at,
    finishedAt: row.finished_at,
    erased: { keys: row.keys, generations: row.generations, starts: row.starts, workflowRuns: row.runs },
    kept: { ledgerEntries: row.ledger_entries },
  };
}
