import type { Failure } from '../contract/failures.js';
import { isTaskId } from '../contract/names.js';
import type { Queryable } from './database.js';
import type { TaskPage, TaskQuery, TaskRecord } from './support-types.js';

interface TaskRow {
  task_id: string;
  owner: string;
  business_type: string | null;
  state: TaskRecord['state'];
  failure: Failure | null;
  reason: string | null;
  model: string | null;
  created_at: Date;
  updated_at: Date;
  ended_at: Date | null;
  tokens_charged: number;
  held: number;
  manual_prompt_chars: number;
  prompt_chars: number | null;
}

/** Texts are measured where they are, so that none of them leaves the database. */
const TASKS = `
  SELECT * FROM (
    SELECT task_id, owner, business_type, failure, reason, model, created_at, updated_at, ended_at, tokens_charged,
      CASE WHEN status = 'completed' AND NOT generated_by_ai THEN 'fallback' ELSE status END AS state,
      char_length(manual_prompt) AS manual_prompt_chars, char_length(prompt) AS prompt_chars,
      (SELECT coalesce(sum(h.tokens), 0)::bigint FROM open_holds h
        WHERE h.task_id = g.task_id AND h.expires_at > now()) AS held
    FROM generations g
  ) AS tasks`;

/** The database compares with the cursor's row itself, as in list-generations.ts: there are no microseconds in JavaScript. */
const PAGE = `
  WITH last AS (SELECT created_at FROM generations WHERE task_id = $1)
  ${TASKS}
  WHERE ($1::text IS NULL OR (
      created_at <= (SELECT created_at FROM last) AND (created_at < (SELECT created_at FROM last) OR task_id > $1)))
    AND ($2::text IS NULL OR task_id = $2)
    AND ($3::text IS NULL OR owner = $3)
    AND ($4::text IS NULL OR state = $4)
    AND ($5::text IS NULL OR failure->>'code' = $5)
    AND ($6::timestamptz IS NULL OR created_at >= $6)
    AND ($7::timestamptz IS NULL OR created_at < $7)
    AND ($8::text IS NULL OR strpos(lower(reason), lower($8)) > 0 OR failure->>'code' = ANY ($9::text[]))
  ORDER BY created_at DESC, task_id LIMIT $10`;

/** See `SupportLedger.findTasks`. */
export async function findTasks(
  db: Queryable,
  { cursor, limit, taskId, owner, state, code, from, to, error }: TaskQuery,
): Promise<TaskPage | null> {
  const after = cursor === undefined ? null : taskIdOf(cursor);
  if (after === undefined || (after !== null && !(await getTask(db, after)))) return null;
  const rows = await db.query<TaskRow>(PAGE, [
    after,
    taskId ?? null,
    owner ?? null,
    state ?? null,
    code ?? null,
    from ?? null,
    to ?? null,
    error?.text ?? null,
    error?.codes ?? [],
    limit + 1,
  ]);
  const tasks = rows.slice(0, limit).map(taskOf);
  const last = tasks.at(-1);
  return { tasks, nextCursor: rows.length > limit && last ? cursorOf(last.taskId) : null };
}

/** See `SupportLedger.getTask`. */
export async function getTask(db: Queryable, taskId: string): Promise<TaskRecord | null> {
  const [row] = await db.query<TaskRow>(`${TASKS} WHERE task_id = $1`, [taskId]);
  return row ? taskOf(row) : null;
}

const taskOf = (row: TaskRow): TaskRecord => ({
  taskId: row.task_id,
  owner: row.owner,
  businessType: row.business_type,
  state: row.state,
  failure: row.failure,
  reason: row.reason,
  model: row.model,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  endedAt: row.ended_at,
  charged: row.tokens_charged,
  held: row.held,
  characters: { manualPrompt: row.manual_prompt_chars, prompt: row.prompt_chars },
});

const PREFIX = 'task:';

const cursorOf = (taskId: string): string => Buffer.from(PREFIX + taskId).toString('base64url');

function taskIdOf(cursor: string): string | undefined {
  const taskId = Buffer.from(cursor, 'base64url').toString('utf8').slice(PREFIX.length);
  // Decoding takes much that was never encoded.
  return isTaskId(taskId) && cursorOf(taskId) === cursor ? taskId : undefined;
}
