import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { FORGOTTEN_AT_ONCE, onlyRow, type Queryable } from './database.js';
import type { Admission, Ledger } from './types.js';

/** How far back starts count for an owner's rate. */
export const RATE_WINDOW_MS = 60_000;

/** When to ask again for a running task to end, in ms: most take 5 to 10 s, and those of one owner end one by one. */
export const RUNNING_RETRY_MS = 2_000;

interface AdmissionRow {
  admitted: boolean;
  /** By this very call. */
  taken: boolean;
  started: number;
  running: number;
  frees_in_ms: number;
  erased: boolean;
  /** Of `admit_or_reuse`: how, and what. */
  reuse?: 'cached' | 'joined' | null;
  reused_task?: string | null;
}

/** Counts a start, or refuses it; see `Ledger.admit`. */
export async function admit(
  db: Queryable,
  { owner, taskId, limits, reuse }: Parameters<Ledger['admit']>[0],
): Promise<Admission> {
  const start = [owner, taskId, RATE_WINDOW_MS, limits.startsPerMinute, WORKFLOW_TIMEOUT_MS, limits.runningTasks];
  const row = onlyRow(
    await (reuse
      ? db.query<AdmissionRow>('SELECT * FROM admit_or_reuse($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
          ...start,
          reuse.workKey,
          reuse.manualPrompt,
          reuse.keyed,
          reuse.requestHash,
        ])
      : db.query<AdmissionRow>('SELECT * FROM admit_start($1, $2, $3, $4, $5, $6)', start)),
  );
  const quota = {
    starts: Math.max(0, limits.startsPerMinute - row.started),
    startsResetMs: row.frees_in_ms,
    running: Math.max(0, limits.runningTasks - row.running),
  };
  if (row.erased) return { outcome: 'erased', quota };
  if (row.reuse === 'cached') return { outcome: 'cached', quota };
  if (row.reuse === 'joined' && row.reused_task) {
    return { outcome: 'joined', taskId: row.reused_task, isNew: row.taken, quota };
  }
  if (row.admitted) return { outcome: 'admitted', isNew: row.taken, quota };
  // Of two limits the one that lasts longer is told.
  return quota.starts === 0
    ? { outcome: 'limited', limit: 'starts', retryAfterMs: row.frees_in_ms, quota }
    : { outcome: 'limited', limit: 'running', retryAfterMs: RUNNING_RETRY_MS, quota };
}

/** See `Ledger.withdraw`. */
export async function withdraw(db: Queryable, taskId: string): Promise<boolean> {
  const [row] = await db.query<{ shared: boolean }>(
    `UPDATE starts SET counted = counted AND shared,
       work_key = CASE WHEN shared OR joined IS NOT NULL THEN work_key END
     WHERE task_id = $1 RETURNING shared`,
    [taskId],
  );
  return !row?.shared;
}

/** See `Ledger.waive`. */
export async function waive(db: Queryable, { owner, taskIds }: Parameters<Ledger['waive']>[0]): Promise<void> {
  await db.query(
    `INSERT INTO starts (task_id, owner, started_at, counted, waived)
       SELECT task_id, $2, clock_timestamp(), false, true FROM unnest($1::text[]) AS given (task_id)
       WHERE NOT EXISTS (SELECT 1 FROM erased_tasks e WHERE e.task_id = given.task_id)
     ON CONFLICT (task_id) DO UPDATE SET waived = true`,
    [taskIds, owner],
  );
}

/** See `Ledger.stopSharing`. */
export async function stopSharing(db: Queryable, taskId: string): Promise<void> {
  await db.query('UPDATE starts SET work_key = NULL WHERE task_id = $1 AND joined IS NULL', [taskId]);
}

/** See `Ledger.countWaiting`. */
export const countWaiting = (
  db: Queryable,
  { forMs, atMost }: Parameters<Ledger['countWaiting']>[0],
): ReturnType<Ledger['countWaiting']> =>
  db.query(
    `SELECT s.owner, count(*) AS waiting, bool_or(s.started_at > newest.begun) AS "inTurn"
     FROM starts s, (
       SELECT coalesce(max(started_at), '-infinity') AS begun FROM (
         SELECT started_at FROM starts b
         WHERE b.started_at > now() - $2 * interval '1 millisecond'
           -- One that was given a prompt, or was ended before its run began, has had no first step.
           AND EXISTS (
             SELECT 1 FROM generations g
             WHERE g.task_id = b.task_id AND NOT g.queued AND g.cached_from IS NULL AND g.manual_prompt <> '')
         ORDER BY started_at DESC LIMIT 1
       ) AS last
     ) AS newest
     WHERE s.counted
       AND s.started_at <= now() - $1 * interval '1 millisecond'
       AND s.started_at > now() - $2 * interval '1 millisecond'
       AND NOT EXISTS (
         SELECT 1 FROM generations g WHERE g.task_id = s.task_id AND (g.ended_at IS NOT NULL OR NOT g.queued))
     GROUP BY s.owner ORDER BY waiting DESC LIMIT $3`,
    [forMs, WORKFLOW_TIMEOUT_MS, atMost],
  );

/** See `Ledger.forgetOldStarts`. */
export async function forgetOldStarts(db: Queryable, olderThanMs: number): Promise<number> {
  const gone = await db.query(
    `DELETE FROM starts WHERE task_id IN (
       SELECT task_id FROM starts WHERE started_at < now() - $1 * interval '1 millisecond' AND joined IS NULL LIMIT $2
     ) RETURNING task_id`,
    [olderThanMs, FORGOTTEN_AT_ONCE],
  );
  return gone.length;
}
