import { createSecretKey, randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import type { MasterKey } from '../../src/config.js';
import { createDataKeys, SERVICE_OWNER, type DataKeys } from '../../src/encryption/data-keys.js';
import { createMasterKeys } from '../../src/encryption/master-keys.js';
import { createPayloadCodec, type EncryptionCodec } from '../../src/encryption/payload-codec.js';
import type { Database } from '../../src/ledger/database.js';
import { destroyKeys } from '../../src/ledger/destroy-keys.js';
import { quiet } from '../generations/support.js';

export const masterKey = (id: string): MasterKey => ({ id, key: createSecretKey(randomBytes(32)) });

/** A value for PAYLOAD_ENCRYPTION_KEYS. */
export const masterKeySetting = (id = 'test'): string => `${id}:${randomBytes(32).toString('base64')}`;

/** What one process has: its own memory of keys, and its codec. */
export interface Process {
  keys: DataKeys;
  codec: EncryptionCodec;
}

/** A process on that database with these master keys, the current one first. */
export async function startProcess(
  db: Database,
  masterKeys: readonly [MasterKey, ...MasterKey[]],
  options: Parameters<typeof createDataKeys>[3] = {},
): Promise<Process> {
  const keys = createDataKeys(db, createMasterKeys(masterKeys), quiet, options);
  return { keys, codec: createPayloadCodec(keys, await keys.keyOf(SERVICE_OWNER)) };
}

/** Destroys an owner's keys as an erasure does; these processes know of it at once. */
export async function destroyKeysOf(db: Database, owner: string, ...processes: Pick<Process, 'keys'>[]): Promise<void> {
  await destroyKeys(db, owner);
  for (const { keys } of processes) await keys.refresh();
}

export const payloadOf = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});

export const valueOf = ({ data }: Payload): unknown => JSON.parse(Buffer.from(data!).toString());

/** The context that the SDK gives for a run's payloads. */
export const ofRun = (workflowId: string) => ({ type: 'workflow', namespace: 'default', workflowId }) as const;
