import { isDeepStrictEqual } from 'node:util';
import { recordAction } from './admin-actions.js';
import { onlyRow, type Queryable } from './database.js';
import type { Account, AccountPatch, By, Subscription } from './types.js';

interface AccountRow {
  owner: string;
  business_type: string | null;
  subscription_status: Subscription['status'];
  subscription_expires_at: Date | null;
  balance: number;
  held: number;
}

/** What is held counts only until it expires, whether or not its row was resolved since. */
const ACCOUNT = `
  SELECT a.owner, a.business_type, a.subscription_status, a.subscription_expires_at, a.balance,
    (SELECT coalesce(sum(h.tokens), 0)::bigint FROM open_holds h WHERE h.owner = a.owner AND h.expires_at > now()) AS held
  FROM accounts a WHERE a.owner = $1`;

export async function getAccount(db: Queryable, owner: string): Promise<Account | null> {
  const [row] = await db.query<AccountRow>(ACCOUNT, [owner]);
  return row ? accountOf(row) : null;
}

/** Sets what the patch names and leaves the rest as it is. What changes nothing is no action to be written down. */
export async function putAccount(tx: Queryable, owner: string, patch: AccountPatch, by: By): Promise<Account> {
  const created = await tx.query(
    'INSERT INTO accounts (owner) VALUES ($1) ON CONFLICT (owner) DO NOTHING RETURNING owner',
    [owner],
  );
  await lockAccount(tx, owner);
  const before = onlyRow(await tx.query<AccountRow>(ACCOUNT, [owner]));
  await patchAccount(tx, owner, patch);
  const after = onlyRow(await tx.query<AccountRow>(ACCOUNT, [owner]));
  const details = { before: created.length > 0 ? null : settingsOf(before), after: settingsOf(after) };
  if (!isDeepStrictEqual(details.before, details.after)) {
    await recordAction(tx, { by, action: 'put_account', target: owner, details });
  }
  return accountOf(after);
}

async function patchAccount(tx: Queryable, owner: string, { businessType, subscription }: AccountPatch): Promise<void> {
  await tx.query(
    `UPDATE accounts SET
       business_type = CASE WHEN $2 THEN $3 ELSE business_type END,
       subscription_status = coalesce($4, subscription_status),
       subscription_expires_at = CASE WHEN $5 THEN $6::timestamptz ELSE subscription_expires_at END,
       updated_at = now()
     WHERE owner = $1`,
    [
      owner,
      businessType !== undefined,
      businessType ?? null,
      subscription?.status ?? null,
      subscription?.expiresAt !== undefined,
      subscription?.expiresAt ?? null,
    ],
  );
}

/** What an admin sets of an account. */
const settingsOf = (row: AccountRow): Record<string, unknown> => ({
  business_type: row.business_type,
  subscription: { status: row.subscription_status, expires_at: row.subscription_expires_at?.toISOString() ?? null },
});

/** The account's row, locked until the transaction ends. */
export interface LockedAccount {
  subscription: Subscription['status'];
  subscription_over: boolean;
  balance: number;
  /** As on the row: expired holds that nobody resolved yet are in it. */
  held: number;
}

/**
 * Every change of money locks the account first and nothing else before it: statements after this one see what was
 * committed before, and no two transactions can wait for each other.
 */
export async function lockAccount(tx: Queryable, owner: string): Promise<LockedAccount | null> {
  const [row] = await tx.query<LockedAccount>(
    `SELECT subscription_status AS subscription, coalesce(subscription_expires_at <= now(), false) AS subscription_over,
       balance, held
     FROM accounts WHERE owner = $1 FOR UPDATE`,
    [owner],
  );
  return row ?? null;
}

const accountOf = (row: AccountRow): Account => ({
  owner: row.owner,
  businessType: row.business_type,
  subscription: { status: row.subscription_status, expiresAt: row.subscription_expires_at },
  tokens: { balance: row.balance, held: row.held, available: row.balance - row.held },
});
