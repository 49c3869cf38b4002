import type { Payload } from '@temporalio/common';
import { SealBroken } from './aes-gcm.js';
import { PayloadErased, PayloadKeyUnknown, type EncryptionCodec } from './payload-codec.js';

/** What the Temporal Web UI and CLI ask for. All throw only while a key can't be had. */
export interface CodecServer {
  /** What can't be read comes back as a text that says why, so that the rest of a page stays readable. */
  decode: (payloads: Payload[]) => Promise<Payload[]>;
  /** An input of a generation is encrypted for the owner it names, anything else by the service's own key. */
  encode: (payloads: Payload[]) => Promise<Payload[]>;
  /** Whose they are, as far as that can be said: each owner once. */
  ownersOf: (payloads: Payload[]) => Promise<string[]>;
}

/** Where nothing is encrypted. */
export const PLAIN_CODEC_SERVER: CodecServer = {
  decode: (payloads) => Promise.resolve(payloads),
  encode: (payloads) => Promise.resolve(payloads),
  ownersOf: () => Promise.resolve([]),
};

export function createCodecServer(codec: EncryptionCodec): CodecServer {
  const decodeOne = async (payload: Payload): Promise<Payload[]> => {
    try {
      return await codec.decode([payload]);
    } catch (error) {
      if (error instanceof PayloadErased) return [noteOf('erased: its owner was erased, nobody can read it any more')];
      if (error instanceof PayloadKeyUnknown)
        return [noteOf('unreadable: encrypted by a key that is not of this service')];
      if (error instanceof SealBroken) return [noteOf(`unreadable: ${error.message}`)];
      throw error;
    }
  };
  const encodeOne = (payload: Payload): Promise<Payload[]> => {
    const owner = ownerIn(payload);
    return owner === null ? codec.encode([payload]) : codec.encodeFor(owner, [payload]);
  };
  return {
    decode: async (payloads) => (await Promise.all(payloads.map(decodeOne))).flat(),
    encode: async (payloads) => (await Promise.all(payloads.map(encodeOne))).flat(),
    ownersOf: async (payloads) => {
      const owners = await Promise.all(payloads.map(codec.ownerOf));
      return [...new Set(owners.filter((owner) => owner !== null))].sort();
    },
  };
}

const noteOf = (text: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(`[${text}]`)),
});

/** Whose input of a generation it is; null: it is something else. */
function ownerIn({ data }: Payload): string | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(data ?? []).toString());
    if (typeof value !== 'object' || value === null || !('owner' in value)) return null;
    return typeof value.owner === 'string' && value.owner !== '' ? value.owner : null;
  } catch {
    // No JSON: then it is no input of a generation.
    return null;
  }
}
