import { onlyRow, type Queryable } from './database.js';
import type { OpenHold } from './holds.js';
import { TaskErased } from './task-erased.js';

/** What the ledger has decided about a task, whatever its run does. */
export interface TaskStanding {
  /** Support let it run again at nobody's charge: nothing is held or charged for it. */
  free: boolean;
  /** Its holds that nothing resolved yet. */
  open: OpenHold[];
  /** What it was charged before, in tokens; null: nothing. */
  charged: number | null;
}

/** The key of a task's charge among the entries: there is one at most. */
export const chargeKeyOf = (taskId: string): string => `charge:${taskId}`;

/** Throws TaskErased where the task was erased. MUST come after the account's lock, as it guards money. */
export async function standingOf(tx: Queryable, taskId: string): Promise<TaskStanding> {
  const { erased, ...standing } = onlyRow(
    await tx.query<TaskStanding & { erased: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM erased_tasks WHERE task_id = $1) AS erased, is_free_of_charge($1) AS free,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('hold_id', hold_id, 'tokens', tokens, 'expired', expires_at <= now())), '[]')
          FROM open_holds WHERE task_id = $1) AS open,
         (SELECT -tokens FROM entries WHERE key = $2) AS charged`,
      [taskId, chargeKeyOf(taskId)],
    ),
  );
  if (erased) throw new TaskErased();
  return standing;
}
