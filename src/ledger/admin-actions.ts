import type { Queryable } from './database.js';
import { idCursor } from './id-cursor.js';
import type { AdminAction, AdminActionPage, AdminActionQuery, NewAdminAction } from './types.js';

interface AdminActionRow {
  id: number;
  at: Date;
  actor: string;
  action: string;
  target: string;
  request_id: string | null;
  details: Record<string, unknown>;
}

/** Writes down what was done. MUST run in the transaction that does it, where it changes the database. */
export async function recordAction(tx: Queryable, { by, action, target, details }: NewAdminAction): Promise<void> {
  await tx.query('INSERT INTO admin_actions (actor, request_id, action, target, details) VALUES ($1, $2, $3, $4, $5)', [
    by.actor,
    by.requestId,
    action,
    target,
    JSON.stringify(details),
  ]);
}

const cursors = idCursor('action');

/** Newest first; null where the cursor is not one of ours. */
export async function listActions(
  db: Queryable,
  { cursor, limit, target, actor }: AdminActionQuery,
): Promise<AdminActionPage | null> {
  const before = cursors.read(cursor);
  if (before === null) return null;
  const rows = await db.query<AdminActionRow>(
    `SELECT * FROM admin_actions
     WHERE id < $1 AND ($2::text IS NULL OR target = $2) AND ($3::text IS NULL OR actor = $3)
     ORDER BY id DESC LIMIT $4`,
    [before, target ?? null, actor ?? null, limit + 1],
  );
  const actions = rows.slice(0, limit).map(actionOf);
  const last = actions.at(-1);
  return { actions, nextCursor: rows.length > limit && last ? cursors.of(last.id) : null };
}

const actionOf = ({ request_id, ...row }: AdminActionRow): AdminAction => ({
  ...row,
  id: String(row.id),
  requestId: request_id,
});
