import { lockAccount } from './accounts.js';
import { recordAction } from './admin-actions.js';
import { onlyRow, type Queryable } from './database.js';
import { idCursor } from './id-cursor.js';
import type { Entry, EntryPage, GrantResult, Ledger } from './types.js';

interface EntryRow {
  id: number;
  type: Entry['type'];
  tokens: number;
  balance_after: number;
  reason: string;
  task_id: string | null;
  created_at: Date;
}

interface NewEntry {
  owner: string;
  type: Entry['type'];
  tokens: number;
  reason: string;
  taskId: string | null;
  key: string;
}

/** Adds an entry and changes the balance with it. The account MUST be locked and the key new. */
export async function addEntry(tx: Queryable, entry: NewEntry): Promise<Entry> {
  const { owner, type, tokens, reason, taskId, key } = entry;
  const rows = await tx.query<EntryRow>(
    `WITH account AS (UPDATE accounts SET balance = balance + $2, updated_at = now() WHERE owner = $1 RETURNING balance)
     INSERT INTO entries (owner, tokens, type, reason, task_id, key, balance_after)
     SELECT $1, $2, $3, $4, $5, $6, balance FROM account RETURNING *`,
    [owner, tokens, type, reason, taskId, key],
  );
  return entryOf(onlyRow(rows));
}

/**
 * The grant of an owner under an Idempotency-Key, if there is one; else the key to store it under. Written together, "a:b" and
 * "c" are "a" and "b:c": where another owner has that key, the length of the owner tells them apart.
 */
async function findGrant(db: Queryable, owner: string, key: string): Promise<{ earlier: Entry } | { newKey: string }> {
  const plain = `grant:${owner}:${key}`;
  const withLength = `grant[${owner.length}]:${owner}:${key}`;
  const rows = await db.query<EntryRow & { owner: string }>('SELECT * FROM entries WHERE key IN ($1, $2)', [
    plain,
    withLength,
  ]);
  const own = rows.find((row) => row.owner === owner);
  if (own) return { earlier: entryOf(own) };
  return { newKey: rows.length === 0 ? plain : withLength };
}

export async function grant(
  tx: Queryable,
  { owner, tokens, reason, key, by }: Parameters<Ledger['grant']>[0],
): Promise<GrantResult> {
  if (!(await lockAccount(tx, owner))) return { outcome: 'unknown_account' };
  const found = await findGrant(tx, owner, key);
  if ('earlier' in found) {
    const { earlier } = found;
    const same = earlier.tokens === tokens && earlier.reason === reason;
    return same ? { outcome: 'replayed', entry: earlier } : { outcome: 'key_reused' };
  }
  const entry = await addEntry(tx, { owner, type: 'grant', tokens, reason, taskId: null, key: found.newKey });
  const details = { tokens, reason, entry_id: entry.id, balance_after: entry.balanceAfter };
  await recordAction(tx, { by, action: 'grant_tokens', target: owner, details });
  return { outcome: 'granted', entry };
}

const cursors = idCursor('entry');

/** Newest first; null where the cursor is not one of ours. */
export async function listEntries(
  db: Queryable,
  owner: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<EntryPage | null> {
  const before = cursors.read(cursor);
  if (before === null) return null;
  const rows = await db.query<EntryRow>(
    'SELECT * FROM entries WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3',
    [owner, before, limit + 1],
  );
  const entries = rows.slice(0, limit).map(entryOf);
  const last = entries.at(-1);
  return { entries, nextCursor: rows.length > limit && last ? cursors.of(last.id) : null };
}

const entryOf = (row: EntryRow): Entry => ({
  id: String(row.id),
  type: row.type,
  tokens: row.tokens,
  balanceAfter: row.balance_after,
  reason: row.reason,
  taskId: row.task_id,
  createdAt: row.created_at,
});
