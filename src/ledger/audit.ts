import { OVERDUE_MS } from '../contract/limits.js';
import { onlyRow, type Database, type Queryable } from './database.js';
import type { LedgerAudit } from './types.js';

/** Tens of millions of entries take longer than statements usually may. */
const STATEMENT_MS = 60_000;

/**
 * Compares the whole ledger with itself; see `Ledger.audit`. One statement, so that all of it is of one moment. It reads each
 * entry once: that is for once a minute, not for a request.
 */
export async function audit(db: Database): Promise<LedgerAudit> {
  const compare = (tx: Queryable) =>
    tx.query<LedgerAudit>(
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
    );
  return onlyRow(await db.transaction(compare, { statementMs: STATEMENT_MS }));
}
