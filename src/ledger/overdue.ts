import { lockAccount } from './accounts.js';
import type { Database, Queryable } from './database.js';
import { resolveExpired } from './holds.js';
import type { TaskOfOwner } from './types.js';

/** See `Ledger.releaseExpiredHolds`: one owner and transaction after the other. */
export async function releaseExpiredHolds(db: Database, onOwner?: () => void): Promise<number> {
  const owners = await db.query<{ owner: string; holds: number }>(
    'SELECT owner, count(*) AS holds FROM open_holds WHERE expires_at <= now() GROUP BY owner ORDER BY owner',
  );
  const failures: unknown[] = [];
  for (const { owner } of owners) {
    try {
      await db.transaction(async (tx) => {
        await lockAccount(tx, owner);
        await resolveExpired(tx, owner);
      });
    } catch (error) {
      // Who is locked for long, as while it is erased, keeps nobody else waiting.
      failures.push(error);
    }
    onOwner?.();
  }
  if (failures.length > 0) throw failures[0];
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
