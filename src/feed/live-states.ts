import { LRUCache } from 'lru-cache';
import type { RunningSnapshot } from '../contract/snapshot.js';
import { createLive, type Live } from './live.js';
import type { WrittenText } from './messages.js';

/** Running tasks that a process can answer for from memory; others are asked for. */
export const KEPT = 20_000;
/** A state that nobody has announced or read for so long is read again, whatever the feed is worth. */
const MAX_AGE_MS = 30_000;
const TEXTS_KEPT = 5_000;

/** What the model has written of a task's prompt so far. */
export interface TextSoFar {
  attempt: number;
  text: string;
}

/** What becomes of a task whose news arrived; the state is a newer one than before, or its run began anew. */
export interface News {
  state(snapshot: RunningSnapshot): void;
  /** Its end is stored in the ledger. */
  stored(taskId: string): void;
  /** Temporal ended its run, without a worker. */
  closed(taskId: string): void;
}

/** Which states of running tasks are known to be true without asking, and who waits for the next one. */
export interface LiveStates {
  /** To be passed to `vouch` with what is read after it. */
  epoch(): number | null;
  /** A state was read, in full, after `since`. */
  vouch(taskId: string, since: number | null): void;
  /** Whether what is known of the task is true: nothing can have happened in the last 2 s that was not heard of. */
  isVouched(taskId: string): boolean;
  forget(taskId: string): void;
  textOf: (taskId: string) => TextSoFar | undefined;
  /** Calls back at each change of a task, until the result is called. */
  subscribe: (taskId: string, onChange: () => void) => () => void;
  /** What the feed and those who watch Temporal are to call. */
  live: Live;
  onClosed: (taskId: string) => void;
}

export function createLiveStates(news: News): LiveStates {
  const vouched = new LRUCache<string, { epoch: number; at: number }>({ max: KEPT });
  const texts = new LRUCache<string, TextSoFar>({ max: TEXTS_KEPT });
  const subscribers = new Map<string, Set<() => void>>();

  const tell = (taskId: string): void => {
    for (const onChange of [...(subscribers.get(taskId) ?? [])]) onChange();
  };
  const over = (taskId: string): void => {
    vouched.delete(taskId);
    texts.delete(taskId);
    tell(taskId);
  };
  const vouch = (taskId: string, since: number | null): void => {
    if (since !== null && since === live.epoch()) vouched.set(taskId, { epoch: since, at: performance.now() });
  };

  const live = createLive({
    state(snapshot) {
      const { task_id: taskId, repeated } = snapshot;
      news.state(snapshot);
      // Of a run that begins anew the ledger has something to say, too.
      if (repeated) vouched.delete(taskId);
      else vouch(taskId, live.epoch());
      tell(taskId);
    },
    text({ taskId, attempt, offset, text }: WrittenText) {
      const before = texts.get(taskId);
      if (offset === 0) texts.set(taskId, { attempt, text });
      // Where a piece is missing, the rest is worth nothing.
      else if (before?.attempt === attempt && before.text.length === offset) before.text += text;
      else return;
      tell(taskId);
    },
    ended(taskId) {
      news.stored(taskId);
      over(taskId);
    },
  });

  return {
    live,
    epoch: () => live.epoch(),
    vouch,
    isVouched(taskId) {
      const known = vouched.get(taskId);
      return known?.epoch === live.epoch() && performance.now() - known.at <= MAX_AGE_MS;
    },
    forget: (taskId) => void vouched.delete(taskId),
    textOf: (taskId) => texts.get(taskId),
    subscribe(taskId, onChange) {
      const all = subscribers.get(taskId) ?? new Set();
      subscribers.set(taskId, all.add(onChange));
      return () => {
        all.delete(onChange);
        if (all.size === 0) subscribers.delete(taskId);
      };
    },
    onClosed(taskId) {
      news.closed(taskId);
      over(taskId);
    },
  };
}
