import { randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Database, Queryable } from '../ledger/database.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';
import { destroyedAmong, keyRow, liveKeyOf, replaceWrapping, wrappedByOthers } from './data-key-rows.js';
import type { MasterKeys, WrappedKey } from './master-keys.js';

/** Owner of the key for payloads of nobody: no JWT has an empty `sub`. */
export const SERVICE_OWNER = '';

/** Keys kept per process, of some 200 bytes each. */
const KEPT = 10_000;
/** A key that another process destroyed is forgotten after this long at most, while the database answers. */
const REFRESH_MS = 30_000;
/** A key that is not known yet is waited for this long. */
const LOOKUP_LIMIT_MS = 2_000;
const BATCH = 500;

/** What encrypts the payloads of one owner. */
export interface DataKey {
  id: string;
  owner: string;
  key: KeyObject;
}

/** The keys of owners. What is known stays usable while the database is away; what is not can't be had then. */
export interface DataKeys {
  /** The owner's key, made at its first use. Throws while the database is away. */
  keyOf(owner: string): Promise<DataKey>;
  /** `destroyed`, or null where no key ever had this id. Throws while the database is away. */
  keyById(id: string): Promise<DataKey | 'destroyed' | null>;
  /**
   * Forgets the keys that an erasure destroyed in the database; runs by itself every 30 s. A later payload of such an
   * owner gets a new key.
   */
  refresh(): Promise<void>;
  /** How many keys this process holds. */
  size(): number;
  /** Stops refreshing. */
  close(): Promise<void>;
}

/** Keys on a migrated database. */
export function createDataKeys(
  db: Database,
  masterKeys: MasterKeys,
  log: Logger,
  { kept = KEPT, refreshMs = REFRESH_MS } = {},
): DataKeys {
  const known = new LRUCache<string, DataKey | 'destroyed'>({
    max: kept,
    // Whoever asked gets the answer, also where others took its place meanwhile.
    ignoreFetchAbort: true,
    fetchMethod: async (id) => {
      const row = await withDeadline(keyRow(db, id), LOOKUP_LIMIT_MS);
      return row === null ? undefined : row === 'destroyed' ? row : dataKeyOf(row);
    },
  });
  /** Ids by owner. */
  const live = new LRUCache<string, string>({
    max: kept,
    ignoreFetchAbort: true,
    fetchMethod: async (owner) => {
      const make = () => masterKeys.wrap({ keyId: randomUUID(), owner, bytes: randomBytes(32) });
      const row = await withDeadline(liveKeyOf(db, owner, make), LOOKUP_LIMIT_MS);
      known.set(row.keyId, dataKeyOf(row));
      return row.keyId;
    },
  });

  const dataKeyOf = (row: WrappedKey): DataKey => ({ id: row.keyId, owner: row.owner, key: masterKeys.unwrap(row) });

  function forget(keyIds: string[]): void {
    for (const id of keyIds) {
      const key = known.peek(id);
      if (typeof key === 'object' && live.peek(key.owner) === id) live.delete(key.owner);
      known.set(id, 'destroyed');
    }
  }

  async function refresh(): Promise<void> {
    const ids = [...known.entries()].filter(([, key]) => key !== 'destroyed').map(([id]) => id);
    if (ids.length > 0) forget(await destroyedAmong(db, ids));
  }

  let refreshing = Promise.resolve();
  const timer = setInterval(() => {
    refreshing = refresh().catch((error: unknown) => {
      log.warn({ err: error }, 'the encryption keys could not be compared with the database');
    });
  }, refreshMs);
  timer.unref();

  const keyById: DataKeys['keyById'] = async (id) => (await known.fetch(id)) ?? null;

  return {
    async keyOf(owner) {
      for (;;) {
        const id = await live.fetch(owner);
        const key = id === undefined ? null : await keyById(id);
        if (key !== null && key !== 'destroyed') return key;
        // Destroyed by another process since: the next look makes a new one.
        live.delete(owner);
      }
    },
    keyById,
    refresh,
    size: () => known.size,
    async close() {
      clearInterval(timer);
      await refreshing;
    },
  };
}

/**
 * Wraps all data keys with the current master key, so that the others can be taken out of the settings. Safe to run while the
 * service runs, and again after it was broken off. Returns how many it wrapped anew.
 */
export async function rotateMasterKey(db: Queryable, masterKeys: MasterKeys): Promise<number> {
  let count = 0;
  for (;;) {
    const rows = await wrappedByOthers(db, masterKeys.currentId, BATCH);
    for (const row of rows) await replaceWrapping(db, row, masterKeys.rewrap(row));
    if (rows.length === 0) return count;
    count += rows.length;
  }
}
