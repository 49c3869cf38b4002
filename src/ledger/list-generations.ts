import { isTaskId } from '../contract/names.js';
import type { Queryable } from './database.js';
import { generationOf, type GenerationRow } from './generations.js';
import type { GenerationPage, GenerationQuery } from './types.js';

/**
 * The cursor names the last row of a page, and the database compares with that row itself: a time that went through
 * JavaScript would have lost its microseconds. `strpos` takes a text as it is, where LIKE has characters of its own.
 */
const PAGE = `
  WITH last AS (SELECT created_at FROM generations WHERE task_id = $2 AND owner = $1)
  SELECT * FROM generations
  WHERE owner = $1
    AND ($2::text IS NULL OR (
      created_at <= (SELECT created_at FROM last)
      AND (created_at < (SELECT created_at FROM last) OR task_id > $2)))
    AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR strpos(lower(manual_prompt), lower($4)) > 0 OR strpos(lower(prompt), lower($4)) > 0)
  ORDER BY created_at DESC, task_id LIMIT $5`;

/** Newest first; null where the cursor names no row of this owner. */
export async function listGenerations(
  db: Queryable,
  owner: string,
  { cursor, limit, status, search }: GenerationQuery,
): Promise<GenerationPage | null> {
  const after = cursor === undefined ? null : taskIdOf(cursor);
  if (after === undefined) return null;
  const rows = await db.query<GenerationRow>(PAGE, [owner, after, status ?? null, search ?? null, limit + 1]);
  // Nothing comes after the last row, nor after one that is not there (any more).
  if (rows.length === 0 && after !== null && !(await isOf(db, owner, after))) return null;
  const generations = rows.slice(0, limit).map(generationOf);
  const last = generations.at(-1);
  return { generations, nextCursor: rows.length > limit && last ? cursorOf(last.taskId) : null };
}

async function isOf(db: Queryable, owner: string, taskId: string): Promise<boolean> {
  const rows = await db.query('SELECT 1 FROM generations WHERE task_id = $1 AND owner = $2', [taskId, owner]);
  return rows.length > 0;
}

const PREFIX = 'generation:';

const cursorOf = (taskId: string): string => Buffer.from(PREFIX + taskId).toString('base64url');

function taskIdOf(cursor: string): string | undefined {
  const taskId = Buffer.from(cursor, 'base64url').toString('utf8').slice(PREFIX.length);
  // Decoding takes much that was never encoded.
  return isTaskId(taskId) && cursorOf(taskId) === cursor ? taskId : undefined;
}
