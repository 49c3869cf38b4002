import type { Ledger } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

/** In it, the clocks of two machines that nobody sets move apart by a millisecond or so. */
export const ASK_EVERY_MS = 10_000;

/**
 * The database's time, which is one for all processes: whether a task's time is over must not depend on who is asked, and the
 * clock of a single host may be wrong, or jump. It goes on while the database is away.
 */
export interface SharedClock {
  /** In ms since the epoch; never ahead of the database. Until that was asked once, it is this host's time. */
  now: () => number;
  /** Asks the database. Never throws. */
  ask: () => Promise<void>;
}

export function createSharedClock({ ledger, log }: { ledger: Pick<Ledger, 'now'>; log: Logger }): SharedClock {
  /** Of the database's time before the time that no setting of a clock changes. */
  let aheadMs: number | undefined;
  return {
    now: () => (aheadMs === undefined ? Date.now() : performance.now() + aheadMs),
    async ask() {
      try {
        const askedAt = performance.now();
        const time = (await withDeadline(ledger.now(), DEADLINE_MS.ledger)).getTime();
        // A late answer says little: what an earlier one said stays, as far as both can be true.
        const [least, most] = [time - performance.now(), time - askedAt];
        if (aheadMs === undefined || aheadMs < least || aheadMs > most) aheadMs = least;
      } catch (error) {
        log.warn({ err: error }, "the database could not be asked for its time; it is reckoned from its last answer's");
      }
    },
  };
}
