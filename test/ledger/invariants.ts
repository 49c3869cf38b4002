import assert from 'node:assert/strict';
import type { Queryable } from '../../src/ledger/database.js';

interface Sums {
  balance: number;
  held: number;
  entries: number;
  open: number;
  unresolved: number;
  newest: number;
}

/** What is true of an account at any moment, however it got there. */
export async function assertInvariants(db: Queryable, owner: string): Promise<void> {
  const [sums] = await db.query<Sums>(
    `SELECT a.balance, a.held,
       (SELECT coalesce(sum(tokens), 0)::bigint FROM entries WHERE owner = a.owner) AS entries,
       (SELECT coalesce(sum(tokens), 0)::bigint FROM open_holds WHERE owner = a.owner) AS open,
       (SELECT coalesce(sum(tokens), 0)::bigint FROM holds h WHERE owner = a.owner
          AND NOT EXISTS (SELECT 1 FROM hold_resolutions r WHERE r.hold_id = h.hold_id)) AS unresolved,
       coalesce((SELECT balance_after FROM entries WHERE owner = a.owner ORDER BY id DESC LIMIT 1), 0) AS newest
     FROM accounts a WHERE a.owner = $1`,
    [owner],
  );
  assert.ok(sums);
  assert.equal(sums.balance, sums.entries, 'the balance is the sum of the entries');
  assert.equal(sums.balance, sums.newest, 'the newest entry tells the balance');
  assert.equal(sums.held, sums.open, 'what is held is the sum of the open holds');
  assert.equal(sums.open, sums.unresolved, 'a hold is open until it is resolved');
  assert.ok(sums.held >= 0 && sums.held <= sums.balance, 'nothing is overspent');

  const charged = await db.query<{
    task_id: string;
    times: number;
    tokens: number;
    told: number | null;
    erased: boolean;
  }>(
    `SELECT e.task_id, count(*) AS times, -sum(e.tokens)::bigint AS tokens, max(g.tokens_charged) AS told,
       e.task_id IN (SELECT task_id FROM erased_tasks) AS erased
     FROM entries e LEFT JOIN generations g USING (task_id) WHERE e.owner = $1 AND e.type = 'charge' GROUP BY e.task_id`,
    [owner],
  );
  for (const { task_id, times, tokens, told, erased } of charged) {
    assert.equal(times, 1, `${task_id} is charged once`);
    assert.equal(
      told,
      erased ? null : tokens,
      `${task_id} is charged what its row says, which is there unless it was erased`,
    );
  }
}
