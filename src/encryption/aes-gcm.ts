import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

/** The form of what `seal` makes: this byte, nonce, ciphertext, tag. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** Thrown where a sealed text was not sealed by this key and for this purpose, or was changed since. */
export class SealBroken extends Error {
  override name = 'SealBroken';
}

/** Encrypts by AES-256-GCM under a fresh nonce. `purpose` is not in the result: whoever opens it has to say the same. */
export function seal(key: KeyObject, text: Uint8Array, purpose: string): Buffer {
  const head = Buffer.concat([Buffer.of(VERSION), randomBytes(NONCE_BYTES)]);
  const cipher = createCipheriv(CIPHER, key, head.subarray(1), { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(purpose));
  return Buffer.concat([head, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/**
 * What `seal` was given.
 * @throws SealBroken
 */
export function open(key: KeyObject, sealed: Uint8Array, purpose: string): Buffer {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES) throw new SealBroken('Too short to be encrypted by this service');
  if (sealed[0] !== VERSION) throw new SealBroken('Encrypted in a form that this version does not know');
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(purpose));
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, tagAt)), decipher.final()]);
  } catch (error) {
    throw new SealBroken('Encrypted by another key, or changed since', { cause: error });
  }
}

const authenticated = (purpose: string): Buffer => Buffer.from(`${VERSION}:${purpose}`);
