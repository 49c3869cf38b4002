import type { Overloaded } from './types.js';
import type { Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { eventLoopLagMs } from '../event-loop-lag.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

/**
 * Whoever waits longer for the first step, in ms, waits for the further ones too, and has 110 s for all of them: so what is
 * started beyond that is done for nothing. A burst that is worked off in less is none of that, nor are workers of one
 * release that follow those of another.
 */
const LONG_MS = 3_000;
/** A process that is so late on average, in ms, has too much to do to answer polls in time: it starts fewer, whoever waits. */
const LATE_MS = 500;
/** Fewer starts than this until the next look make no process late. */
const FEW_STARTS = 5;
/** So many owners whose tasks nobody overtakes: Temporal takes the tasks of owners in turn, so that one's flood is its own. */
const MANY_OWNERS = 10;
/** So many tasks of one owner: a few may have been started by a process that died before it could. */
const MANY_TASKS = 20;
export const LOOK_EVERY_MS = 1_000;
/** With each look at which more have to wait than before, so much less may start until the next one. */
const CUT = 0.5;
/** With each look at which nobody has to wait, so much more; from some number on all may. */
const GROWTH = 1.25;
const UNLIMITED_FROM = 100;
/** When to try again, in ms: not all at the same time. It is later the longer too much is asked for, as each try is work, too. */
const [SOONEST_MS, LATEST_MS, LATEST_EVER_MS] = [2_000, 20_000, 60_000];

/** Far more than whether they are many: how many tasks wait is compared with the time before. */
const QUERY = { forMs: LONG_MS, atMost: 100 * MANY_OWNERS };

/** Limits under which nothing starts but what has its place already. */
export const NO_MORE: StartLimits = { startsPerMinute: 0, runningTasks: 0 };

/** Whether the service has more to do than it can. */
export interface Overload {
  /** Whether these starts of an owner (one, if not said), which are to happen now, are more than can be done. */
  refuses: (owner: string, starts?: number) => boolean;
  /** So many of those that were not refused began nothing: others may, in their place. */
  giveBack: (starts?: number) => void;
  /** What a refused start of an owner is answered with; when to come again is another time at each call. */
  refusal: (owner: string) => Overloaded;
  /** Judges anew; to be called `LOOK_EVERY_MS` after the last time. Never throws. */
  look: () => Promise<void>;
}

interface OverloadDeps {
  ledger: Pick<Ledger, 'countWaiting'>;
  log: Logger;
  lagMs?: () => number;
}

/**
 * Judges by how long tasks wait for their first step, whoever started them: that is where everything shows, too few workers,
 * a slow Temporal, a slow database. While more and more wait for long, half as many may start with each look, at last one a
 * second; while they become fewer, as many as before; then a little more each time, as whoever was refused comes again. So it
 * is while this process itself is late (`lagMs`, on average since the last look). Where the ledger can't be asked, things stay
 * as they are.
 */
export function createOverload({ ledger, log, lagMs = eventLoopLagMs }: OverloadDeps): Overload {
  let waiting = new Map<string, number>();
  /** Starts until the next look: those that may be, and those that were. */
  let mayStart = Infinity;
  let started = 0;
  /** Tasks that waited for long at the last look. */
  let waited = 0;
  /** Since when too much is asked for, by performance.now(). */
  let since: number | undefined;

  async function look(): Promise<void> {
    const before = mayStart;
    const lateMs = Math.round(lagMs());
    mayStart = await judge(lateMs > LATE_MS && started >= FEW_STARTS);
    if (mayStart >= UNLIMITED_FROM) mayStart = Infinity;
    started = 0;
    if (before === Infinity && mayStart < Infinity) {
      since = performance.now();
      log.warn({ waiting: waited, late_ms: lateMs }, 'more is asked for than can be done in time: fewer are started');
    }
    if (before < Infinity && mayStart === Infinity) {
      since = undefined;
      log.info('what is asked for can be done in time again: all are started');
    }
  }

  /** How many may start until the next look. */
  async function judge(isLate: boolean): Promise<number> {
    const waitedBefore = waited;
    const fewer = () => Math.max(1, Math.floor(Math.min(mayStart, started) * CUT));
    try {
      const counts = await withDeadline(ledger.countWaiting(QUERY), DEADLINE_MS.ledger);
      waiting = new Map(counts.map(({ owner, waiting: tasks }) => [owner, tasks]));
      waited = [...waiting.values()].reduce((sum, tasks) => sum + tasks, 0);
      const isTooMuch = counts.filter(({ inTurn }) => inTurn).length >= MANY_OWNERS;
      if (isLate || (isTooMuch && waited >= waitedBefore)) return fewer();
      return isTooMuch ? mayStart : Math.ceil(mayStart * GROWTH);
    } catch (error) {
      log.warn({ err: error }, 'the ledger could not be asked how many tasks wait');
      waiting = new Map();
      return isLate ? fewer() : mayStart;
    }
  }

  function retryAfterMs(): number {
    const lastsMs = since === undefined ? 0 : performance.now() - since;
    const latest = Math.min(Math.max(LATEST_MS, lastsMs), LATEST_EVER_MS);
    return SOONEST_MS + Math.random() * (latest - SOONEST_MS);
  }

  const isFlooded = (owner: string): boolean => (waiting.get(owner) ?? 0) >= MANY_TASKS;

  return {
    refuses(owner, starts = 1) {
      if (isFlooded(owner) || started + starts > mayStart) return true;
      started += starts;
      return false;
    },
    giveBack(starts = 1) {
      // Since the last look, they may not count any more.
      started = Math.max(0, started - starts);
    },
    refusal: (owner) => ({
      outcome: 'overloaded',
      byOwner: isFlooded(owner),
      retryAfterMs: retryAfterMs(),
    }),
    look,
  };
}
