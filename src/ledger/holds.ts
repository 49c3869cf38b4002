import { tooFewTokens } from '../contract/failures.js';
import { lockAccount, type LockedAccount } from './accounts.js';
import { onlyRow, type Queryable } from './database.js';
import { standingOf } from './task-standing.js';
import type { HoldResult, Ledger } from './types.js';

/** Sets tokens aside; see `Ledger.hold`. */
export async function hold(tx: Queryable, request: Parameters<Ledger['hold']>[0]): Promise<HoldResult> {
  const { holdId, taskId, owner, minimum, wanted, ttlMs } = request;
  const account = await lockAccount(tx, owner);
  const { free, open } = await standingOf(tx, taskId);
  if (!account || account.subscription === 'none') return { outcome: 'refused', refusal: { code: 'no_subscription' } };
  if (account.subscription === 'deactivated')
    return { outcome: 'refused', refusal: { code: 'subscription_deactivated' } };
  if (account.subscription_over) return { outcome: 'refused', refusal: { code: 'subscription_expired' } };

  const mine = open.find(({ hold_id, expired }) => hold_id === holdId && !expired);
  if (mine) return { outcome: 'held', tokens: mine.tokens };
  // Of an earlier run of this task, which an operator reset: only one run can settle.
  await resolveHolds(tx, owner, open, 'released');
  // We pay: as much as the call may cost, whatever the owner has.
  if (free) return { outcome: 'held', tokens: wanted };
  await resolveExpired(tx, owner);

  const [taken] = await tx.query<{ tokens: number }>(
    `WITH free AS (
       SELECT balance - held AS tokens FROM accounts WHERE owner = $1
     ), account AS (
       UPDATE accounts SET held = held + least(free.tokens, $3), updated_at = now()
       FROM free WHERE owner = $1 AND free.tokens >= $2 RETURNING least(free.tokens, $3) AS tokens
     ), hold AS (
       INSERT INTO holds (hold_id, task_id, owner, tokens, expires_at)
       SELECT $4, $5, $1, tokens, now() + $6 * interval '1 millisecond' FROM account RETURNING *
     )
     INSERT INTO open_holds (hold_id, task_id, owner, tokens, expires_at)
     SELECT hold_id, task_id, owner, tokens, expires_at FROM hold RETURNING tokens`,
    [owner, minimum, wanted, holdId, taskId, ttlMs],
  );
  if (taken) return { outcome: 'held', tokens: taken.tokens };
  return { outcome: 'refused', refusal: tooFewTokens(minimum, await availableTokens(tx, owner)) };
}

export interface OpenHold {
  hold_id: string;
  tokens: number;
  expired: boolean;
}

/** Ends open holds and frees their tokens. The account MUST be locked. `charged` is the tokens a settled one cost. */
export async function resolveHolds(
  tx: Queryable,
  owner: string,
  holds: OpenHold[],
  resolution: 'settled' | 'released' | 'expired',
  charged = 0,
): Promise<void> {
  if (holds.length === 0) return;
  await tx.query(
    `WITH freed AS (
       DELETE FROM open_holds WHERE hold_id = ANY ($2::text[]) RETURNING hold_id, tokens
     ), resolved AS (
       INSERT INTO hold_resolutions (hold_id, resolution, charged) SELECT hold_id, $3, $4 FROM freed
     )
     UPDATE accounts SET updated_at = now(), held = held - (SELECT sum(tokens)::bigint FROM freed) WHERE owner = $1`,
    [owner, holds.map(({ hold_id }) => hold_id), resolution, charged],
  );
}

/**
 * Frees what expired holds still take on the account's row; MUST come before anything that spends what is available.
 * Looks for them only where the row shows that there are some.
 */
export async function resolveExpired(tx: Queryable, owner: string): Promise<void> {
  const { held, expired } = onlyRow(
    await tx.query<Pick<LockedAccount, 'held'> & { expired: boolean }>(
      `SELECT a.held, a.held > (SELECT coalesce(sum(tokens), 0) FROM open_holds WHERE owner = $1 AND expires_at > now()) AS expired
       FROM accounts a WHERE a.owner = $1`,
      [owner],
    ),
  );
  if (held === 0 || !expired) return;
  const holds = await tx.query<OpenHold>(
    'SELECT hold_id, tokens, true AS expired FROM open_holds WHERE owner = $1 AND expires_at <= now()',
    [owner],
  );
  await resolveHolds(tx, owner, holds, 'expired');
}

/** In SQL: what the owner of these may still spend, as int8; null without an account. */
export const availableIn = (owner: string): string =>
  `(SELECT balance - (SELECT coalesce(sum(tokens), 0)::bigint FROM open_holds WHERE owner = a.owner AND expires_at > now())
    FROM accounts a WHERE a.owner = ${owner})`;

/** What an owner may still spend; 0 without an account. */
export async function availableTokens(tx: Queryable, owner: string): Promise<number> {
  const { available } = onlyRow(
    await tx.query<{ available: number }>(`SELECT coalesce(${availableIn('$1')}, 0) AS available`, [owner]),
  );
  return available;
}
