import type { RunningSnapshot } from '../contract/snapshot.js';
import type { Logger } from '../log.js';
import type { Feed } from './feed.js';
import { pack, type Message, type WrittenText } from './messages.js';

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
  let unsent: Message[] = [];
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

  async function send(withTexts: boolean): Promise<void> {
    quiet = false;
    if (unsent.length === 0) {
      unsent = pack({ worker, states: [...states.values()], texts: withTexts ? texts : [] }, () => n++);
      states.clear();
      if (withTexts) texts = [];
    }
    for (let next = unsent[0]; next && !stopped; next = unsent[0]) {
      try {
        await publish(next);
        unsent.shift();
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
      if (texts.length >= MAX_TEXTS) texts = [];
      for (let from = 0; from < text.length; from += TEXT_MAX_CHARS) {
        texts.push({ taskId, attempt, offset: offset + from, text: text.slice(from, from + TEXT_MAX_CHARS) });
      }
    },
    async stop() {
      clearInterval(heartbeats);
      clearInterval(writing);
      stopped = true;
      await sending;
      const bye: Message = { worker, n: n++, states: [...states.values()], texts: [], bye: true };
      await publish(bye).catch((error: unknown) => {
        log.warn({ err: error }, 'API processes could not be told that the worker stops');
      });
    },
  };
}
