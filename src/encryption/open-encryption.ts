import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { ConfigError, type EncryptionConfig } from '../config.js';
import type { Database } from '../ledger/database.js';
import type { Logger } from '../log.js';
import { createCodecServer, PLAIN_CODEC_SERVER, type CodecServer } from './codec-server.js';
import { masterKeysInUse } from './data-key-rows.js';
import { createDataKeys, SERVICE_OWNER } from './data-keys.js';
import { createMasterKeys, type MasterKeys } from './master-keys.js';
import { createPayloadCodec } from './payload-codec.js';

/** Everything that a program needs so that Temporal stores no text in clear. */
export interface Encryption {
  /** Whether new payloads are encrypted. */
  on: boolean;
  /** Of Temporal's client and worker. */
  dataConverter: DataConverter;
  /** MUST come before the start of a run: it is encrypted for this owner. Throws where the owner's key can't be had now. */
  assign: (workflowId: string, owner: string) => Promise<void>;
  codecServer: CodecServer;
  /** Forgets the keys that were destroyed, which this process would else do within 30 s. Throws while the database is away. */
  forgetDestroyed: () => Promise<void>;
  close(): Promise<void>;
}

/** Beside this file, compiled or not. */
const FAILURE_CONVERTER = fileURLToPath(new URL(`./failure-converter${extname(import.meta.url)}`, import.meta.url));

/** Of a service without keys: nothing is encrypted. */
export const NO_ENCRYPTION: Encryption = {
  on: false,
  dataConverter: {},
  assign: () => Promise.resolve(),
  codecServer: PLAIN_CODEC_SERVER,
  forgetDestroyed: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/**
 * Encryption as the settings say. Switched off but with keys, it still reads what was encrypted before.
 * @throws ConfigError where a master key is missing that is still in use.
 */
export async function openEncryption(
  database: Database,
  config: EncryptionConfig | undefined,
  log: Logger,
): Promise<Encryption> {
  const [current, ...others] = config?.masterKeys ?? [];
  if (!config || !current) return NO_ENCRYPTION;
  const masterKeys = createMasterKeys([current, ...others]);
  await requireKeysInUse(database, masterKeys);
  const dataKeys = createDataKeys(database, masterKeys, log);
  const codec = createPayloadCodec(dataKeys, await dataKeys.keyOf(SERVICE_OWNER));
  const codecServer = createCodecServer(codec);
  const rest = { forgetDestroyed: () => dataKeys.refresh(), close: () => dataKeys.close() };
  if (!config.on) {
    const { encode } = PLAIN_CODEC_SERVER;
    const decode: PayloadCodec['decode'] = (payloads, context) => codec.decode(payloads, context);
    const dataConverter = { payloadCodecs: [{ encode, decode }] };
    return { ...NO_ENCRYPTION, dataConverter, codecServer: { ...codecServer, encode }, ...rest };
  }
  return {
    on: true,
    dataConverter: { payloadCodecs: [codec], failureConverterPath: FAILURE_CONVERTER },
    assign: codec.assign,
    codecServer,
    ...rest,
  };
}

async function requireKeysInUse(database: Database, { ids }: MasterKeys): Promise<void> {
  const missing = (await masterKeysInUse(database)).filter((id) => !ids.includes(id));
  if (missing.length === 0) return;
  throw new ConfigError(
    `PAYLOAD_ENCRYPTION_KEYS lacks keys that are still in use: ${missing.join(', ')}. Put them back, behind the current one; ` +
      '`npm run rotate-keys` frees them.',
  );
}
