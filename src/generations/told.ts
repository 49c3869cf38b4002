import { LRUCache } from 'lru-cache';
import type { RunningSnapshot } from '../contract/snapshot.js';
import { withDeadline } from '../with-deadline.js';
import { KEPT } from '../feed/live-states.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';

/** A running task's state, and when it was known to be so (RFC 3339). */
export interface ToldState {
  snapshot: RunningSnapshot;
  asOf: string;
}

/**
 * The last states of running tasks that any API process has told. A new one is shared through the ledger before it is
 * told: so while Temporal is away no process tells less than another one did, nor than it did itself before it was
 * started again.
 */
export interface Told {
  /** What is to be told of a task that was read in this state: the newest that was told, perhaps before. */
  tell(snapshot: RunningSnapshot, asOf: string): Promise<ToldState>;
  /** What was told last, by whomever. */
  last(taskId: string): Promise<ToldState | undefined>;
  /** What this process knows of it, without asking anybody. */
  own(taskId: string): ToldState | undefined;
  /** Keeps a state that need not be shared, unless it has a newer one: everybody knows it as well. */
  keepNewer(state: ToldState): void;
  forget(taskId: string): void;
  /** Forgets all tasks of an owner, in this process. */
  forgetOwner(owner: string): void;
}

export function createTold({ ledger, log }: Pick<GenerationsDeps, 'ledger' | 'log'>): Told {
  const own = new LRUCache<string, ToldState>({ max: KEPT });

  const keep = (state: ToldState): ToldState => {
    own.set(state.snapshot.task_id, state);
    return state;
  };

  /** What any process told before. Never throws. */
  async function share(state: ToldState): Promise<ToldState | undefined> {
    try {
      return (await withDeadline(ledger.shareTold(state), DEADLINE_MS.ledger)) ?? undefined;
    } catch (error) {
      log.warn({ err: error, task_id: state.snapshot.task_id }, 'what is told of a task could not be shared');
      return undefined;
    }
  }

  /** Never throws: where the ledger is away, each process goes by what it has told itself. */
  async function shared(taskId: string): Promise<ToldState | undefined> {
    try {
      return (await withDeadline(ledger.getTold(taskId), DEADLINE_MS.ledger)) ?? undefined;
    } catch (error) {
      log.warn({ err: error, task_id: taskId }, 'what other processes told of a task could not be read');
      return undefined;
    }
  }

  return {
    own: (taskId) => own.get(taskId),
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
      const others = await share({ snapshot, asOf });
      // After the wait: something may have been heard meanwhile. A run that begins again is as far as was told, not remembered.
      const heard = repeated ? undefined : own.get(taskId);
      const newest = keep([others, heard].reduce<ToldState>(newerOf, { snapshot, asOf }));
      return { ...newest, snapshot: withDetailOf(snapshot, newest.snapshot) };
    },

    async last(taskId) {
      const others = await shared(taskId);
      // After the wait: something may have been heard meanwhile.
      const mine = own.get(taskId);
      return mine ? keep(newerOf(mine, others)) : others;
    },
  };
}

const newerOf = (one: ToldState, other: ToldState | undefined): ToldState =>
  other && other.snapshot.seq > one.snapshot.seq ? other : one;

/** What a task waits for is of the moment, not of the step. */
function withDetailOf({ detail }: RunningSnapshot, snapshot: RunningSnapshot): RunningSnapshot {
  const { detail: _, ...rest } = snapshot;
  return detail ? { ...rest, detail } : rest;
}
