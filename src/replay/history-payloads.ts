/** A payload in the JSON of a history and of the codec: bytes in Base64. */
export interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

/** Decrypts payloads, in their order; what nobody can read comes back as a text that says so. */
export type Decode = (payloads: JsonPayload[]) => Promise<JsonPayload[]>;

/** Thrown for a history that nobody can read any more: its owner was erased, or its key is not of this service. */
export class HistoryUnreadable extends Error {
  override name = 'HistoryUnreadable';
}

const ENCRYPTED = Buffer.from('binary/encrypted').toString('base64');

/** As the codec server begins its notes. */
const NOTE = /^"\[(?:erased|unreadable): /;

/**
 * Decrypts a history where it stands.
 * @throws HistoryUnreadable
 */
export async function decryptHistory(history: unknown, decode: Decode): Promise<void> {
  const encrypted = encryptedIn(history);
  if (encrypted.length === 0) return;
  const decoded = await decode(
    encrypted.map(({ metadata, data }) => ({ ...(metadata ? { metadata } : {}), ...(data ? { data } : {}) })),
  );
  for (const [index, payload] of encrypted.entries()) {
    const clear = decoded[index];
    const text = Buffer.from(clear?.data ?? '', 'base64').toString();
    if (!clear || NOTE.test(text)) throw new HistoryUnreadable(text.slice(1, -1));
    Object.assign(payload, clear);
  }
}

function encryptedIn(value: unknown): JsonPayload[] {
  if (typeof value !== 'object' || value === null) return [];
  const { metadata } = value as { metadata?: { encoding?: unknown } | null };
  if (metadata?.encoding === ENCRYPTED) return [value];
  return Object.values(value).flatMap(encryptedIn);
}
