import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import { withDeadline } from './with-deadline.js';

/** Owners whose turns are known at once, in each process. */
const OWNERS_KEPT = 10_000;

/** Work for owners, of each so much at a time, so that no owner's takes all connections to the ledger. */
export interface Turns {
  /** Does the work in its turn; rejects where it has not come to it, or to its end, in time. Too late it is not begun. */
  take: <T>(owner: string, withinMs: number, work: () => Promise<T>) => Promise<T>;
  /** What is under way or waits. */
  countOf: (owner: string) => number;
}

export function createTurns(atOnce: number): Turns {
  const turns = new LRUCache<string, LimitFunction>({ max: OWNERS_KEPT });
  return {
    take(owner, withinMs, work) {
      const turn = turns.get(owner) ?? pLimit(atOnce);
      turns.set(owner, turn);
      const until = performance.now() + withinMs;
      const inTurn = turn(() => {
        if (performance.now() > until) throw new Error('It came too late to its turn');
        return work();
      });
      return withDeadline(inTurn, withinMs);
    },
    countOf(owner) {
      const turn = turns.peek(owner);
      return turn ? turn.activeCount + turn.pendingCount : 0;
    },
  };
}
