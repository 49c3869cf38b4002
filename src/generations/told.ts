import { setTimeout as rest } from 'node:timers/promises';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { RunningSnapshot } from '../contract/snapshot.js';
import { KEPT } from '../feed/live-states.js';
import { LOST_AFTER_MS } from '../feed/live.js';
import type { ToldNews, ToldState } from '../ledger/types.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';

/** Whoever can reach the ledger again has shared by then what was told meanwhile: a worker tries for 9 s at most. */
const CAUGHT_UP_AFTER_MS = 10_000;

/** What was told last of a task. */
export interface LastTold {
  /** The newest state; where not `certain`, the newest this process knows. */
  state: ToldState | undefined;
  /** Its end is stored, and perhaps told; of a run that began anew: that of the one before. */
  ended: boolean;
  /** The ledger said so, so that no other process has told more. */
  certain: boolean;
}

/**
 * The last states of running tasks that any API process has told. A new one is shared through the ledger before it is
 * told, and what is remembered is told only after a look there: so no process tells less than another one did, nor than
 * it did itself before it was started again. A client may be answered by each in turn.
 */
export interface Told {
  /** What is to be told of a task that was read in this state: the newest that was told, perhaps before. null: its end is stored. */
  tell(snapshot: RunningSnapshot, asOf: string): Promise<ToldState | null>;
  /** What was told last, by whomever, as far as the ledger says so in `withinMs`. Never throws. */
  last(taskId: string, withinMs?: number): Promise<LastTold>;
  /** Whether the ledger has all that was told: it was not away lately, when states are told without it. */
  hasCaughtUp(): boolean;
  /** Keeps a state that need not be shared, unless it has a newer one: everybody is told of it, too. */
  keepNewer(state: ToldState): void;
  forget(taskId: string): void;
  /** Forgets all tasks of an owner, in this process. */
  forgetOwner(owner: string): void;
}

const NO_NEWS: ToldNews = { told: null, ended: false };

export function createTold({ ledger, log, alone = false }: Pick<GenerationsDeps, 'ledger' | 'log' | 'alone'>): Told {
  const own = new LRUCache<string, ToldState>({ max: KEPT });
  let awayAt = -Infinity;
  // The polls that arrive together are one query.
  const news = new DataLoader<{ taskId: string; seq: number }, ToldNews>((known) => ledger.newsOf(known), {
    cache: false,
    batchScheduleFn: setImmediate,
  });

  const keep = (state: ToldState): ToldState => {
    own.set(state.snapshot.task_id, state);
    return state;
  };

  /** What any process told before; undefined where the ledger is away. */
  async function share(state: ToldState): Promise<ToldNews | undefined> {
    try {
      return await withDeadline(ledger.shareTold(state), DEADLINE_MS.share);
    } catch (error) {
      awayAt = performance.now();
      log.warn({ err: error, task_id: state.snapshot.task_id }, 'what is told of a task could not be shared');
      return undefined;
    }
  }

  /** What other processes told besides; undefined where the ledger is away. */
  async function newsOf(taskId: string, known: ToldState | undefined, withinMs: number): Promise<ToldNews | undefined> {
    if (alone && known) return NO_NEWS;
    try {
      return await withDeadline(news.load({ taskId, seq: known?.snapshot.seq ?? -1 }), withinMs);
    } catch (error) {
      awayAt = performance.now();
      log.warn({ err: error, task_id: taskId }, 'what other processes told of a task could not be read');
      return undefined;
    }
  }

  return {
    hasCaughtUp: () => performance.now() - awayAt > CAUGHT_UP_AFTER_MS,
    keepNewer(state) {
      const before = own.get(state.snapshot.task_id);
      if (!before || before.snapshot.seq <= state.snapshot.seq) keep(state);
    },
    forget: (taskId) => own.delete(taskId),
    forgetOwner: (owner) => {
      for (const [taskId, { snapshot }] of [...own.entries()]) if (snapshot.owner === owner) own.delete(taskId);
    },

    async tell(snapshot, asOf) {
      const { task_id: taskId, repeated } = snapshot;
      const begun = performance.now();
      const others = await share({ snapshot, asOf });
      if (others?.ended && !repeated) return null;
      const toldBefore = (own.get(taskId)?.snapshot.seq ?? -1) >= snapshot.seq;
      // What nobody can be told of is told when nobody can remember anything older any more.
      if (!others && !alone && !toldBefore) await rest(Math.max(0, begun + LOST_AFTER_MS - performance.now()));
      // After the wait: something may have been heard meanwhile. A run that begins again is as far as was told, not remembered.
      const heard = repeated ? undefined : own.get(taskId);
      const newest = keep([others?.told, heard].reduce<ToldState>(newerOf, { snapshot, asOf }));
      return { ...newest, snapshot: withDetailOf(snapshot, newest.snapshot) };
    },

    async last(taskId, withinMs = DEADLINE_MS.news) {
      const others = await newsOf(taskId, own.get(taskId), withinMs);
      // After the wait: something may have been heard meanwhile.
      const mine = own.get(taskId);
      const state = mine ? keep(newerOf(mine, others?.told)) : (others?.told ?? undefined);
      return { state, ended: others?.ended ?? false, certain: others !== undefined };
    },
  };
}

const newerOf = (one: ToldState, other: ToldState | null | undefined): ToldState =>
  other && other.snapshot.seq > one.snapshot.seq ? other : one;

/** What a task waits for is of the moment, not of the step. */
function withDetailOf({ detail }: RunningSnapshot, snapshot: RunningSnapshot): RunningSnapshot {
  const { detail: _, ...step } = snapshot;
  return detail ? { ...step, detail } : step;
}
