import type { Failure } from '../contract/failures.js';
import { isTaskId } from '../contract/names.js';
import type { Queryable } from './database.js';
import type { TaskPage, TaskQuery, TaskRecord, TaskState } from './support-types.js';

interface TaskRow {
  task_id: string;
  owner: string;
  business_type: string | null;
  state: TaskRecord['state'];
  failure: Failure | null;
  reason: string | null;
  model: string | null;
  cached_from: string | null;
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
  SELECT task_id, owner, business_type, failure, reason, model, cached_from, created_at, updated_at, ended_at, tokens_charged,
    CASE WHEN status = 'completed' AND NOT generated_by_ai THEN 'fallback' ELSE status END AS state,
    char_length(manual_prompt) AS manual_prompt_chars, char_length(prompt) AS prompt_chars,
    (SELECT coalesce(sum(h.tokens), 0)::bigint FROM open_holds h
      WHERE h.task_id = g.task_id AND h.expires_at > now()) AS held
  FROM generations g`;

const IN_STATE: Readonly<Record<TaskState, string>> = {
  processing: "status = 'processing'",
  completed: "status = 'completed' AND generated_by_ai",
  fallback: "status = 'completed' AND NOT generated_by_ai",
  failed: "status = 'failed'",
};

/** As the indexes of migration 9 have it: by an expression of their own, no list of an owner's tasks is ever read by them. */
const MOMENT = "(created_at AT TIME ZONE 'UTC')";
const WITHOUT_AI = '(failure IS NOT NULL OR NOT generated_by_ai)';

/** Adds a parameter and gives its place in the statement. */
type Place = (value: unknown) => string;

/** What the rows must be like; only what is asked for, so that the database can choose an index by it. */
function conditionsOf({ taskId, owner, state, code, from, to, error }: TaskQuery, place: Place): string[] {
  const conditions: string[] = [];
  if (taskId !== undefined) {
    const id = place(taskId);
    conditions.push(`(task_id = ${id} OR batch_id = ${id})`);
  }
  if (owner !== undefined) conditions.push(`owner = ${place(owner)}`);
  if (state !== undefined) conditions.push(IN_STATE[state]);
  if (code !== undefined) conditions.push(`failure->>'code' = ${place(code)}`);
  if (from !== undefined) conditions.push(`${MOMENT} >= (${place(from)}::timestamptz AT TIME ZONE 'UTC')`);
  if (to !== undefined) conditions.push(`${MOMENT} < (${place(to)}::timestamptz AT TIME ZONE 'UTC')`);
  if (error) {
    const inReason = `strpos(lower(reason), lower(${place(error.text)})) > 0`;
    conditions.push(`(${inReason} OR failure->>'code' = ANY (${place(error.codes)}::text[]))`);
  }
  if (state === 'failed' || state === 'fallback' || code !== undefined || error) conditions.push(WITHOUT_AI);
  return conditions;
}

/** The database compares with the cursor's row itself, as in list-generations.ts: there are no microseconds in JavaScript. */
const afterRow = (taskId: string): string => {
  const last = `(SELECT ${MOMENT} FROM generations WHERE task_id = ${taskId})`;
  return `${MOMENT} <= ${last} AND (${MOMENT} < ${last} OR task_id > ${taskId})`;
};

/** See `SupportLedger.findTasks`. */
export async function findTasks(db: Queryable, query: TaskQuery): Promise<TaskPage | null> {
  const { cursor, limit } = query;
  const after = cursor === undefined ? null : taskIdOf(cursor);
  if (after === undefined || (after !== null && !(await getTask(db, after)))) return null;
  const params: unknown[] = [];
  const place: Place = (value) => `$${params.push(value)}`;
  const conditions = [...conditionsOf(query, place), ...(after === null ? [] : [afterRow(place(after))])];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows = await db.query<TaskRow>(
    `${TASKS} ${where} ORDER BY ${MOMENT} DESC, task_id LIMIT ${place(limit + 1)}`,
    params,
  );
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
  cachedFrom: row.cached_from,
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
