import type { Queryable } from './database.js';

/** Thrown for a task that was erased with its owner's data: nothing of it is stored or charged ever again. */
export class TaskErased extends Error {
  override name = 'TaskErased';

  constructor() {
    super("The task was erased with its owner's data");
  }
}

/** Throws TaskErased where the task was. MUST come after the account's lock where it guards money. */
export async function refuseErased(db: Queryable, taskId: string): Promise<void> {
  const rows = await db.query('SELECT 1 FROM erased_tasks WHERE task_id = $1', [taskId]);
  if (rows.length > 0) throw new TaskErased();
}
