import { OVERDUE_MS } from '../contract/limits.js';
import { onlyRow, type Queryable } from './database.js';
import type { LedgerAudit } from './types.js';

/**
 * Compares the whole ledger with itself; see `Ledger.audit`. One statement, so that all of it is of one moment. It reads each
 * entry once: that is for once a minute, not for a request.
 */
export async function audit(db: Queryable): Promise<LedgerAudit> {
  return onlyRow(
    await db.query<LedgerAudit>(
      `SELECT
         (SELECT count(*) FROM open_holds) AS "openHolds",
         (SELECT coalesce(sum(tokens), 0)::bigint FROM open_holds) AS "heldTokens",
         (SELECT count(*) FROM open_holds WHERE expires_at <= now()) AS "expiredHolds",
         (SELECT count(*) FROM generations
          WHERE ended_at IS NULL AND created_at < now() - $1 * interval '1 millisecond') AS "stuckTasks",
         (SELECT count(*) FROM accounts a
          LEFT JOIN (SELECT owner, sum(tokens) AS tokens FROM entries GROUP BY owner) e USING (owner)
          LEFT JOIN (SELECT owner, sum(tokens) AS tokens FROM open_holds GROUP BY owner) h USING (owner)
          WHERE a.balance <> coalesce(e.tokens, 0) OR a.held <> coalesce(h.tokens, 0)) AS "mismatchedAccounts"`,
      [OVERDUE_MS],
    ),
  );
}
