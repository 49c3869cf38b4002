import { ASK_EVERY_MS, changesOf } from './changes.js';
import type { Followed, Read } from './followed.js';

interface Awaited {
  /** Tags the caller knows; empty: the one it would get now. */
  known: readonly string[];
  waitMs: number;
  /** Aborted when nobody waits any more. */
  signal: AbortSignal;
}

/** The first state that the caller does not know, or the one there is when the time is over. */
export async function nextStatus<Found extends { outcome: 'found' }>(
  followed: Followed<Found>,
  { known, waitMs, signal }: Awaited,
): Promise<Read<Found>> {
  const giveUpAt = performance.now() + waitMs;
  const changes = changesOf(followed);
  try {
    const first = await followed.read();
    if (first.outcome !== 'found') return first;
    const old = known.length > 0 ? known : [followed.tagOf(first)];
    for (let now: Read<Found> = first; ; now = await followed.read()) {
      // From here on, one that can't be read for a moment is no news.
      if (now.outcome === 'not_found') return now;
      if (now.outcome === 'found' && (followed.isEnded(now) || !old.includes(followed.tagOf(now)))) return now;
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0 || signal.aborted) return now;
      await changes.rest(Math.min(leftMs, ASK_EVERY_MS), signal);
    }
  } finally {
    changes.stop();
  }
}
