import type { RunningSnapshot } from '../contract/snapshot.js';
import type { Listener } from './feed.js';
import type { Message, WrittenText } from './messages.js';

/** A worker that says nothing for this long is lost, and with it perhaps something that it did. In ms. */
export const LOST_AFTER_MS = 2_000;
/** How long Temporal may not have been asked what the feed can't know; see `watch-temporal.ts`. */
const UNWATCHED_MS = 5_000;
const CHECK_EVERY_MS = 250;

/** What becomes of the things that are heard. */
export interface LiveEvents {
  state: (snapshot: RunningSnapshot) => void;
  text: (text: WrittenText) => void;
  ended: (taskId: string) => void;
}

/** Judges what the feed is worth. */
export interface Live extends Listener {
  /**
   * While it stays the same number nothing can have happened that was not heard of within 2 s: what was known to be so
   * under it is so. null: things may happen that nobody hears of.
   */
  epoch(): number | null;
  /**
   * Which model is asked whatever worker does it. undefined: not all say the same, as when another one is being rolled
   * out, or not all are heard.
   */
  modelId: () => string | undefined;
  /** Workers that are heard of, or said goodbye. */
  knows: (worker: string) => 'alive' | 'gone' | 'lost' | 'never heard';
  /** It fell silent, while others could have been heard, or said goodbye. */
  isSilent: (worker: string) => boolean;
  /** Temporal was asked. `complete`: every worker that is at work is one that is heard of. */
  watched(complete: boolean): void;
  stop(): void;
}

export function createLive(events: LiveEvents): Live {
  const alive = new Map<string, { n: number; heardAt: number; modelId: string | undefined }>();
  const gone = new Set<string>();
  const lost = new Set<string>();
  let connected = false;
  let complete = false;
  let watchedAt = -Infinity;
  let epoch = 0;
  let wasHealthy = false;

  const now = (): number => performance.now();
  /** Something may have been missed. */
  const disturbed = (): void => {
    epoch += 1;
  };

  /** When this process last had time to hear: after it was busy, what came meanwhile is still to be heard. */
  let tickedAt = now();

  function isHealthy(): boolean {
    const at = now();
    const wasBusy = at - tickedAt > 2 * CHECK_EVERY_MS;
    for (const [worker, { heardAt }] of alive) {
      if (wasBusy || at - heardAt <= LOST_AFTER_MS) continue;
      alive.delete(worker);
      lost.add(worker);
      disturbed();
    }
    const healthy = connected && complete && alive.size > 0 && at - watchedAt <= UNWATCHED_MS;
    if (wasHealthy && !healthy) disturbed();
    wasHealthy = healthy;
    return healthy;
  }

  // So that a worker is lost in time also where nobody asks.
  const checks = setInterval(() => {
    isHealthy();
    tickedAt = now();
  }, CHECK_EVERY_MS);
  checks.unref();

  function hear({ worker, n, modelId, bye }: Message): void {
    const before = alive.get(worker);
    if (before && n > before.n + 1) disturbed();
    lost.delete(worker);
    if (bye) {
      alive.delete(worker);
      gone.add(worker);
    } else {
      alive.set(worker, { n: Math.max(n, before?.n ?? 0), heardAt: now(), modelId });
    }
  }

  return {
    message(message) {
      hear(message);
      for (const state of message.states) events.state(state);
      for (const text of message.texts) events.text(text);
    },
    ended: events.ended,
    connected() {
      disturbed();
      alive.clear();
      lost.clear();
      connected = true;
    },
    disconnected() {
      connected = false;
      disturbed();
    },
    epoch: () => (isHealthy() ? epoch : null),
    modelId() {
      if (!isHealthy()) return undefined;
      const [first, ...others] = new Set([...alive.values()].map(({ modelId }) => modelId));
      return others.length === 0 ? first : undefined;
    },
    knows(worker) {
      if (alive.has(worker)) return 'alive';
      if (gone.has(worker)) return 'gone';
      return lost.has(worker) ? 'lost' : 'never heard';
    },
    isSilent: (worker) => connected && (lost.has(worker) || gone.has(worker)),
    watched(isComplete) {
      watchedAt = now();
      complete = isComplete;
    },
    stop() {
      clearInterval(checks);
    },
  };
}
