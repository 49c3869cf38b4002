import { createSecretKey, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';
import { LRUCache } from 'lru-cache';
import { batchIdFrom, batchRunId } from '../contract/names.js';
import { open, seal } from './aes-gcm.js';
import type { DataKey, DataKeys } from './data-keys.js';

const PayloadMessage = proto.temporal.api.common.v1.Payload;

/** Runs whose key is kept; more than a worker keeps in its cache, and fewer than the keys that are kept. */
const RUNS_KEPT = 10_000;

/** As Temporal's samples name them, so that its tools know an encrypted payload. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Thrown for a payload whose key was destroyed with its owner's data: nobody can read it any more. */
export class PayloadErased extends Error {
  override name = 'PayloadErased';
}

/** Thrown for a payload that no key of this database encrypted. */
export class PayloadKeyUnknown extends Error {
  override name = 'PayloadKeyUnknown';
}

/** The codec of Temporal's client and worker, and which key it takes for which run. */
export interface EncryptionCodec extends PayloadCodec {
  /** From here on a run's payloads are encrypted for this owner. Throws where the owner's key can't be had now. */
  assign: (workflowId: string, owner: string) => Promise<void>;
  encodeFor: (owner: string, payloads: Payload[]) => Promise<Payload[]>;
  /** Whose payload it is; null: nobody's, or nobody can say any more. */
  ownerOf: (payload: Payload) => Promise<string | null>;
}

/**
 * Encrypts payloads by the key of the owner whose run it is. A client is told the owner when it starts a run (`assign`);
 * a worker learns it from what it decodes: a run's payloads are encrypted as its input was. What belongs to no run that is
 * known takes the service's own key, held here so that a worker can always say what went wrong. Payloads that are not
 * encrypted are left as they are: runs from before encryption was switched on go on.
 *
 * Only the key id is bound to the text: a reset or "Start Workflow Like This One" copies payloads to other runs.
 */
export function createPayloadCodec(dataKeys: DataKeys, serviceKey: DataKey): EncryptionCodec {
  const keyOfRun = new LRUCache<string, string>({ max: RUNS_KEPT });

  /** An item of a batch is started by the batch's run, which knows the owner before it does. */
  const keyIdOf = (workflowId: string): string | undefined =>
    keyOfRun.get(workflowId) ?? keyOfRun.get(batchRunId(batchIdFrom(workflowId)));

  async function keyFor(context?: SerializationContext): Promise<DataKey> {
    const keyId = context?.workflowId === undefined ? undefined : keyIdOf(context.workflowId);
    if (keyId === undefined) return serviceKey;
    const key = await dataKeys.keyById(keyId);
    // The owner was erased while the run went on. It must not fail here, which would end the worker; so its last words
    // are encrypted by a key that nobody has.
    return typeof key === 'object' && key !== null
      ? key
      : { id: keyId, owner: '', key: createSecretKey(randomBytes(32)) };
  }

  async function decrypt(payload: Payload, context?: SerializationContext): Promise<Payload> {
    const keyId = encryptedBy(payload);
    if (keyId === null) return payload;
    const key = keyId === serviceKey.id ? serviceKey : await dataKeys.keyById(keyId);
    if (key === null) throw new PayloadKeyUnknown(`No key has the id ${keyId}`);
    if (key === 'destroyed')
      throw new PayloadErased('The key of this payload was destroyed with the data of its owner');
    const message = open(key.key, payload.data ?? new Uint8Array(), keyId);
    if (context?.workflowId !== undefined && key !== serviceKey) keyOfRun.set(context.workflowId, key.id);
    return PayloadMessage.decode(message);
  }

  return {
    async encode(payloads, context) {
      const key = await keyFor(context);
      return payloads.map((payload) => encrypt(payload, key));
    },
    decode: (payloads, context) => Promise.all(payloads.map((payload) => decrypt(payload, context))),
    async assign(workflowId, owner) {
      const { id } = await dataKeys.keyOf(owner);
      keyOfRun.set(workflowId, id);
    },
    async ownerOf(payload) {
      const keyId = encryptedBy(payload);
      if (keyId === null || keyId === serviceKey.id) return null;
      const key = await dataKeys.keyById(keyId);
      return typeof key === 'object' && key !== null ? key.owner : null;
    },
    async encodeFor(owner, payloads) {
      const key = await dataKeys.keyOf(owner);
      return payloads.map((payload) => encrypt(payload, key));
    },
  };
}

function encrypt(payload: Payload, { id, key }: DataKey): Payload {
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: seal(key, PayloadMessage.encode(payload).finish(), id),
  };
}

/** The id of the key that encrypted a payload; null: it is not encrypted. */
export function encryptedBy({ metadata }: Payload): string | null {
  const text = (name: string): string => Buffer.from(metadata?.[name] ?? []).toString();
  return text('encoding') === ENCODING ? text(KEY_ID) : null;
}
