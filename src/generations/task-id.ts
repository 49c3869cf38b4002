import { createHash, randomUUID } from 'node:crypto';
import { batchIdFrom } from '../contract/names.js';

const sha256 = (...parts: string[]): Buffer => {
  const hash = createHash('sha256');
  // Lengths keep ("ab", "c") and ("a", "bc") apart.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
};

/** The id of a task without a key: random. */
export const newTaskId = (): string => randomUUID();

/** The id of a task with an Idempotency-Key: the same owner and key always give the same one (a version 8 UUID). */
export const keyedTaskId = (owner: string, key: string): string => hashedUuid('task', owner, key);

/** The id of a batch, by the same rules. A key stands for a request to one address: at another one it is another one. */
export const newBatchId = (owner: string, key: string | undefined): string =>
  batchIdFrom(key === undefined ? randomUUID() : hashedUuid('batch', owner, key));

function hashedUuid(...parts: string[]): string {
  const bytes = sha256(...parts).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Tells the same request from another one under the same key, without keeping its text. */
export const requestHash = (...manualPrompts: string[]): string => sha256(...manualPrompts).toString('hex');
