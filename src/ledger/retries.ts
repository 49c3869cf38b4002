import { OVERDUE_MS } from '../contract/limits.js';
import { lockAccount } from './accounts.js';
import { recordAction } from './admin-actions.js';
import type { Queryable } from './database.js';
import { getTask } from './find-tasks.js';
import type { NewRetry, NoteRetryResult } from './support-types.js';
import { standingOf } from './task-standing.js';

/** Writes down that a task shall run again and who pays; see `SupportLedger.noteRetry`. */
export async function noteRetry(tx: Queryable, retry: NewRetry): Promise<NoteRetryResult> {
  const { taskId, runsAs, owner, charge, by, details } = retry;
  await lockAccount(tx, owner);
  await standingOf(tx, taskId);
  const task = await getTask(tx, taskId);
  if (task?.owner !== owner) return 'unknown';
  if (task.state === 'processing') return 'running';
  if (task.state === 'completed') return 'completed';
  // One whose run broke off has no end of its own; it must have ended by now.
  await tx.query(
    `UPDATE retries SET closed_at = now()
     WHERE task_id = $1 AND closed_at IS NULL AND created_at < now() - $2 * interval '1 millisecond'`,
    [runsAs, OVERDUE_MS],
  );
  const noted = await tx.query(
    `INSERT INTO retries (task_id, owner, charge) VALUES ($1, $2, $3)
     ON CONFLICT (task_id) WHERE closed_at IS NULL DO NOTHING RETURNING id`,
    [runsAs, owner, charge],
  );
  if (noted.length === 0) return 'retrying';
  // An item that ended before its run began: this one shall.
  await tx.query('UPDATE generations SET queued = false WHERE task_id = $1 AND queued', [runsAs]);
  await recordAction(tx, {
    by,
    action: 'retry_task',
    target: taskId,
    details: { ...details, owner, charge, runs_as: runsAs },
  });
  return 'noted';
}

/** See `SupportLedger.withdrawRetry`. */
export async function withdrawRetry(tx: Queryable, taskId: string): Promise<void> {
  await tx.query('UPDATE retries SET closed_at = now(), withdrawn = true WHERE task_id = $1 AND closed_at IS NULL', [
    taskId,
  ]);
}
