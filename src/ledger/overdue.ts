import { lockAccount } from './accounts.js';
import type { Database, Queryable } from './database.js';
import { resolveExpired } from './holds.js';
import type { TaskOfOwner } from './types.js';

/** Resolves every hold that has expired, one owner and transaction after the other. */
export async function releaseExpiredHolds(db: Database): Promise<number> {
  const owners = await db.query<{ owner: string; holds: number }>(
    'SELECT owner, count(*) AS holds FROM open_holds WHERE expires_at <= now() GROUP BY owner ORDER BY owner',
  );
  for (const { owner } of owners) {
    await db.transaction(async (tx) => {
      await lockAccount(tx, owner);
      await resolveExpired(tx, owner);
    });
  }
  return owners.reduce((sum, { holds }) => sum + holds, 0);
}

/** Tasks without an end that began longer ago than that, oldest first. */
export async function listOverdue(
  db: Queryable,
  { olderThanMs, limit }: { olderThanMs: number; limit: number },
): Promise<TaskOfOwner[]> {
  const rows = await db.query<{ task_id: string; owner: string }>(
    `SELECT task_id, owner FROM generations
     WHERE ended_at IS NULL AND created_at < now() - $1 * interval '1 millisecond' ORDER BY created_at LIMIT $2`,
    [olderThanMs, limit],
  );
  return rows.map(({ task_id, owner }) => ({ taskId: task_id, owner }));
}
