import { createHash, randomUUID } from 'node:crypto';

const sha256 = (...parts: string[]): Buffer => {
  const hash = createHash('sha256');
  // Lengths keep ("ab", "c") and ("a", "bc") apart.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
};

/** The id of a task without a key: random. */
export const newTaskId = (): string => randomUUID();

/** The id of a task with an Idempotency-Key: the same owner and key always give the same one (a version 8 UUID). */
export function keyedTaskId(owner: string, key: string): string {
  const bytes = sha256('task', owner, key).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Tells the same request from another one under the same key, without keeping its text. */
export const requestHash = (manualPrompt: string): string => sha256(manualPrompt).toString('hex');
