import type { Ledger } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

/**
 * Whoever waits longer for the first step, in ms, waits for the further ones too, and has 110 s for all of them: so what is
 * started beyond that is done for nothing. The workers of one release follow those of another in less.
 */
const LONG_MS = 2_000;
/** So many owners whose tasks nobody overtakes: Temporal takes the tasks of owners in turn, so that one's flood is its own. */
const MANY_OWNERS = 10;
/** So many tasks of one owner: a few may have been started by a process that died before it could. */
const MANY_TASKS = 20;
const EVERY_MS = 1_000;
/** When to try again, in ms: not all at the same time. */
const [SOONEST_MS, LATEST_MS] = [2_000, 8_000];

/** Only whether they are many matters. */
const QUERY = { forMs: LONG_MS, atMost: 10 * MANY_OWNERS };

/** Whether the service has more to do than it can. */
export interface Overload {
  /** For any owner, or because of this one alone. One start a second is let through all the same. */
  isOverloaded(owner: string): boolean;
  /** A time in ms after which a refused start may be tried again, another one at each call. */
  retryAfterMs(): number;
  /** Looks each second, until the result is called. */
  watch(): () => Promise<void>;
}

/**
 * Judges by how long tasks wait for their first step, whoever started them: that is where everything shows, too few workers,
 * a slow Temporal, a slow database. Without the ledger nothing is known, and nothing refused.
 */
export function createOverload({ ledger, log }: { ledger: Pick<Ledger, 'countWaiting'>; log: Logger }): Overload {
  let waiting = new Map<string, number>();
  let everybodys = false;
  /** Whether one start was let through since the last look: where nobody waits any more, it shows. */
  let tried = false;

  async function look(): Promise<void> {
    const before = everybodys;
    try {
      const counts = await withDeadline(ledger.countWaiting(QUERY), DEADLINE_MS.ledger);
      waiting = new Map(counts.map(({ owner, waiting: tasks }) => [owner, tasks]));
      everybodys = counts.filter(({ inTurn }) => inTurn).length >= MANY_OWNERS;
    } catch (error) {
      waiting = new Map();
      everybodys = false;
      log.warn({ err: error }, 'the ledger could not be asked how many tasks wait');
    }
    tried = false;
    if (!before && everybodys) log.warn('too many tasks wait for their first step: no further ones are started');
    if (before && !everybodys) log.info('tasks come to their first step in time again: further ones are started');
  }

  return {
    isOverloaded(owner) {
      if ((waiting.get(owner) ?? 0) >= MANY_TASKS) return true;
      if (!everybodys) return false;
      const isTry = !tried;
      tried = true;
      return !isTry;
    },
    retryAfterMs: () => SOONEST_MS + Math.random() * (LATEST_MS - SOONEST_MS),
    watch() {
      let timer: NodeJS.Timeout | undefined;
      let stopped = false;
      let current = Promise.resolve();
      const next = (): void => {
        current = look().then(() => {
          if (!stopped) timer = setTimeout(next, EVERY_MS);
        });
      };
      next();
      return async () => {
        stopped = true;
        clearTimeout(timer);
        await current;
      };
    },
  };
}
