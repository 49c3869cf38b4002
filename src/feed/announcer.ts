import type { RunningSnapshot } from '../contract/snapshot.js';
import type { Logger } from '../log.js';
import type { Feed } from './feed.js';
import { pack, type Message, type Unnumbered, type WrittenText } from './messages.js';

/** Silence longer than a few of these means that the worker is lost; see `live.ts`. */
export const HEARTBEAT_MS = 500;
/** Text may wait: nobody reads faster, and each message costs every API process something. */
const TEXT_EVERY_MS = 200;
const RETRY_MS = 250;
/** A text that nobody could be told of for long is worth nothing any more. */
const MAX_TEXTS = 10_000;
/** In JSON each character may take six bytes. */
const TEXT_MAX_CHARS = 1_000;

/** A worker's voice in the feed. Never throws and never waits: what can't be said now is said later, the newest of each task. */
export interface Announcer {
  announce: (snapshot: RunningSnapshot) => void;
  write: (text: WrittenText) => void;
  /** Says what is left to say, and goodbye. */
  stop(): Promise<void>;
}

/** Begins with a heartbeat, so that nothing is done by a worker that nobody has heard of. Throws where that can't be sent. */
export async function createAnnouncer({
  feed,
  worker,
  modelId,
  log,
}: {
  feed: Pick<Feed, 'publish'>;
  worker: string;
  /** Which model it asks. */
  modelId: string;
  log: Logger;
}): Promise<Announcer> {
  const publish = (message: Message): Promise<void> => feed.publish({ ...message, modelId });
  let n = 0;
  const states = new Map<string, RunningSnapshot>();
  let texts: WrittenText[] = [];
  /** Of each task, the piece among `texts` that more can be added to. */
  const growing = new Map<string, WrittenText>();
  const waiting: { states: Unnumbered[]; texts: Unnumbered[] } = { states: [], texts: [] };
  let unsent: Message | undefined;
  let sending: Promise<void> | undefined;
  let quiet = false;
  let stopped = false;
  let failing = false;

  /** Sends everything that is waiting, one message after the other. */
  const flush = (withTexts: boolean): void => {
    sending ??= send(withTexts).finally(() => {
      sending = undefined;
      if (states.size > 0 && !stopped) flush(false);
    });
  };

  /** What is to be said next: a state waits for no text, as whoever hears of other things meanwhile takes the old one for true. */
  function next(): Unnumbered | undefined {
    if (waiting.states.length === 0 && states.size > 0) {
      waiting.states = pack({ worker, states: [...states.values()], texts: [] });
      states.clear();
    }
    return waiting.states.shift() ?? waiting.texts.shift();
  }

  async function send(withTexts: boolean): Promise<void> {
    quiet = false;
    if (withTexts) {
      waiting.texts.push(...pack({ worker, states: [], texts }));
      texts = [];
      growing.clear();
    }
    while (!stopped) {
      if (!unsent) {
        const said = next();
        if (!said) return;
        unsent = { ...said, n: n++ };
      }
      try {
        await publish(unsent);
        unsent = undefined;
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ err: error }, 'API processes are not told of the progress now, and ask for it');
        failing = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  await publish({ worker, n: n++, states: [], texts: [] });
  const heartbeats = setInterval(() => {
    if (quiet) flush(true);
    quiet = true;
  }, HEARTBEAT_MS);
  const writing = setInterval(() => {
    if (texts.length > 0) flush(true);
  }, TEXT_EVERY_MS);

  return {
    announce(snapshot) {
      states.set(snapshot.task_id, snapshot);
      flush(false);
    },
    write({ taskId, attempt, offset, text }) {
      const last = growing.get(taskId);
      const follows = last?.attempt === attempt && last.offset + last.text.length === offset;
      if (follows && last.text.length + text.length <= TEXT_MAX_CHARS) {
        last.text += text;
        return;
      }
      if (texts.length >= MAX_TEXTS) {
        texts = [];
        growing.clear();
      }
      for (let from = 0; from < text.length; from += TEXT_MAX_CHARS) {
        const piece = { taskId, attempt, offset: offset + from, text: text.slice(from, from + TEXT_MAX_CHARS) };
        texts.push(piece);
        growing.set(taskId, piece);
      }
    },
    async stop() {
      clearInterval(heartbeats);
      clearInterval(writing);
      stopped = true;
      await sending;
      if (states.size > 0) waiting.states.push(...pack({ worker, states: [...states.values()], texts: [] }));
      try {
        if (unsent) await publish(unsent);
        for (const said of waiting.states) await publish({ ...said, n: n++ });
        await publish({ worker, n: n++, states: [], texts: [], bye: true });
      } catch (error) {
        log.warn({ err: error }, 'API processes could not be told that the worker stops');
      }
    },
  };
}
