import { onlyRow, type Queryable } from './database.js';
import { TaskErased } from './task-erased.js';

/** What the ledger has decided about a task, whatever its run does. */
export interface TaskStanding {
  /** Support let it run again at nobody's charge: nothing is held or charged for it. */
  free: boolean;
}

/** Throws TaskErased where the task was erased. MUST come after the account's lock, as it guards money. */
export async function standingOf(tx: Queryable, taskId: string): Promise<TaskStanding> {
  const { erased, free } = onlyRow(
    await tx.query<{ erased: boolean; free: boolean }>(
      'SELECT EXISTS (SELECT 1 FROM erased_tasks WHERE task_id = $1) AS erased, is_free_of_charge($1) AS free',
      [taskId],
    ),
  );
  if (erased) throw new TaskErased();
  return { free };
}
