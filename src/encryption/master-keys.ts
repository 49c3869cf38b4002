import { createSecretKey, type KeyObject } from 'node:crypto';
import type { MasterKey } from '../config.js';
import { open, seal, SealBroken } from './aes-gcm.js';

/** A data key as the database keeps it. */
export interface WrappedKey {
  keyId: string;
  owner: string;
  /** Base64. */
  wrappedKey: string;
  masterKeyId: string;
}

/** The keys that encrypt data keys. They are in the settings alone, never in a database. */
export interface MasterKeys {
  /** The one that wraps from now on; the others only unwrap. */
  currentId: string;
  ids: string[];
  wrap(key: { keyId: string; owner: string; bytes: Uint8Array }): WrappedKey;
  /** @throws Error that names the master key which is missing or is another one than it was. */
  unwrap(wrapped: WrappedKey): KeyObject;
  /** The same data key under the current master key. */
  rewrap(wrapped: WrappedKey): WrappedKey;
}

/** `keys` as the settings list them, the current one first. */
export function createMasterKeys(keys: readonly [MasterKey, ...MasterKey[]]): MasterKeys {
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  const [current] = keys;

  const wrap: MasterKeys['wrap'] = ({ keyId, owner, bytes }) => ({
    keyId,
    owner,
    wrappedKey: seal(current.key, bytes, purposeOf(keyId, owner)).toString('base64'),
    masterKeyId: current.id,
  });

  function bytesOf({ keyId, owner, wrappedKey, masterKeyId }: WrappedKey): Buffer {
    const masterKey = byId.get(masterKeyId);
    if (!masterKey)
      throw new Error(`PAYLOAD_ENCRYPTION_KEYS lacks the key ${masterKeyId}, which wraps data keys in use`);
    try {
      return open(masterKey, Buffer.from(wrappedKey, 'base64'), purposeOf(keyId, owner));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      throw new Error(`The key ${masterKeyId} of PAYLOAD_ENCRYPTION_KEYS does not unwrap the data key ${keyId}`, {
        cause: error,
      });
    }
  }

  return {
    currentId: current.id,
    ids: [...byId.keys()],
    wrap,
    unwrap: (wrapped) => createSecretKey(bytesOf(wrapped)),
    rewrap: (wrapped) => wrap({ ...wrapped, bytes: bytesOf(wrapped) }),
  };
}

/** A wrapped key that is moved to another row, of another owner, does not open. */
const purposeOf = (keyId: string, owner: string): string => `data key ${keyId} of ${owner}`;
