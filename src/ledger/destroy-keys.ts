import type { Queryable } from './database.js';

/** Destroys the keys that encrypt an owner's payloads in Temporal, and says how many. Processes that know one forget it within 30 s. */
export async function destroyKeys(tx: Queryable, owner: string): Promise<number> {
  const rows = await tx.query(
    `UPDATE data_keys SET wrapped_key = NULL, master_key_id = NULL, destroyed_at = now()
     WHERE owner = $1 AND destroyed_at IS NULL RETURNING key_id`,
    [owner],
  );
  return rows.length;
}
