import type { Queryable } from '../ledger/database.js';
import type { WrappedKey } from './master-keys.js';

interface Row {
  key_id: string;
  owner: string;
  /** null, as is the next one: the key was destroyed. */
  wrapped_key: string | null;
  master_key_id: string | null;
}

const COLUMNS = 'key_id, owner, wrapped_key, master_key_id';

/** Stores an owner's first key, unless another process was faster, and gives the one that counts. */
export async function liveKeyOf(db: Queryable, owner: string, make: () => WrappedKey): Promise<WrappedKey> {
  for (;;) {
    const [row] = await db.query<Row>(`SELECT ${COLUMNS} FROM data_keys WHERE owner = $1 AND destroyed_at IS NULL`, [
      owner,
    ]);
    const found = row && wrappedOf(row);
    if (found) return found;
    const { keyId, wrappedKey, masterKeyId } = make();
    await db.query(
      `INSERT INTO data_keys (key_id, owner, wrapped_key, master_key_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (owner) WHERE destroyed_at IS NULL DO NOTHING`,
      [keyId, owner, wrappedKey, masterKeyId],
    );
  }
}

/** A key, whether it was destroyed, or null where there never was one of this id. */
export async function keyRow(db: Queryable, keyId: string): Promise<WrappedKey | 'destroyed' | null> {
  const [row] = await db.query<Row>(`SELECT ${COLUMNS} FROM data_keys WHERE key_id = $1`, [keyId]);
  return row ? (wrappedOf(row) ?? 'destroyed') : null;
}

/** Those of the given keys that were destroyed. */
export async function destroyedAmong(db: Queryable, keyIds: string[]): Promise<string[]> {
  const rows = await db.query<Row>(
    'SELECT key_id FROM data_keys WHERE key_id = ANY($1::text[]) AND destroyed_at IS NOT NULL',
    [keyIds],
  );
  return rows.map(({ key_id }) => key_id);
}

/** Up to `limit` keys that another master key wraps. */
export async function wrappedByOthers(db: Queryable, masterKeyId: string, limit: number): Promise<WrappedKey[]> {
  const rows = await db.query<Row>(
    `SELECT ${COLUMNS} FROM data_keys WHERE master_key_id <> $1 ORDER BY key_id LIMIT $2`,
    [masterKeyId, limit],
  );
  return rows.flatMap((row) => wrappedOf(row) ?? []);
}

/** Replaces a key's wrapping, unless it was replaced or destroyed meanwhile. */
export async function replaceWrapping(db: Queryable, before: WrappedKey, after: WrappedKey): Promise<void> {
  await db.query('UPDATE data_keys SET wrapped_key = $3, master_key_id = $4 WHERE key_id = $1 AND wrapped_key = $2', [
    before.keyId,
    before.wrappedKey,
    after.wrappedKey,
    after.masterKeyId,
  ]);
}

/** The ids of all master keys that wrap something. */
export async function masterKeysInUse(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    'SELECT DISTINCT master_key_id AS id FROM data_keys WHERE master_key_id IS NOT NULL',
  );
  return rows.map(({ id }) => id);
}

const wrappedOf = ({ key_id, owner, wrapped_key, master_key_id }: Row): WrappedKey | null =>
  wrapped_key === null || master_key_id === null
    ? null
    : { keyId: key_id, owner, wrappedKey: wrapped_key, masterKeyId: master_key_id };
