import type { RunningSnapshot } from '../contract/snapshot.js';

/** A piece of the model's text, as it came. A later attempt begins again at offset 0. */
export interface WrittenText {
  taskId: string;
  attempt: number;
  /** Of its first character in the whole text of the attempt. */
  offset: number;
  text: string;
}

/** What a worker says to every API process. One without states and texts is a heartbeat. */
export interface Message {
  /** Its identity at Temporal too. */
  worker: string;
  /** Which model it asks (`modelIdOf`); absent: it is of an older release. */
  modelId?: string;
  /** Counts the worker's messages: whoever misses one knows it from the next. */
  n: number;
  states: RunningSnapshot[];
  texts: WrittenText[];
  /** The last one: it has stopped. */
  bye?: true;
}

/** One that has not been said yet. */
export type Unnumbered = Omit<Message, 'n'>;

/** PostgreSQL carries less than 8,000 bytes in a notification. */
const MAX_BYTES = 7_900;
/** Of a message without states and texts: a worker's identity is of one or two hundred bytes. */
const FRAME_BYTES = 700;

/**
 * Messages that hold all of this, each small enough for a notification; at least one.
 * @throws RangeError where a single state or text is too large for any
 */
export function pack({ worker, states, texts }: Unnumbered): Unnumbered[] {
  const messages: Unnumbered[] = [];
  let bytes = Infinity;
  const room = (item: unknown): Unnumbered => {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size > MAX_BYTES - FRAME_BYTES) throw new RangeError('A state or text is too large to be announced');
    const last = messages.at(-1);
    if (last && bytes + size <= MAX_BYTES) {
      bytes += size;
      return last;
    }
    const next: Unnumbered = { worker, states: [], texts: [] };
    messages.push(next);
    bytes = FRAME_BYTES + size;
    return next;
  };
  for (const state of states) room(state).states.push(state);
  for (const text of texts) room(text).texts.push(text);
  return messages.length > 0 ? messages : [{ worker, states: [], texts: [] }];
}
