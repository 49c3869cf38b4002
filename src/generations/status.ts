import { LRUCache } from 'lru-cache';
import { isTaskId } from '../contract/names.js';
import {
  endedSnapshot,
  isEnded,
  queuedSnapshot,
  type EndedSnapshot,
  type RunningSnapshot,
} from '../contract/snapshot.js';
import { PayloadErased } from '../encryption/payload-codec.js';
import { TaskErased } from '../ledger/task-erased.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { EndedGeneration, Generation, ToldState } from '../ledger/types.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';
import { withDeadline } from '../with-deadline.js';
import { createLiveStates } from '../feed/live-states.js';
import { createReadLimit } from './read-limit.js';
import { createReadWorkflow } from './read-workflow.js';
import { isInTime, mayGoOn, runningOf, storedStatus } from './stored-status.js';
import type { SharedClock } from './shared-clock.js';
import { createTold } from './told.js';
import type { Caller, FoundStatus, StatusResult } from './types.js';

/** Ends kept per process; one holds a prompt of some kilobytes. */
const ENDS_KEPT = 5_000;
/** What was known so long ago is as good as true, in ms. */
const FRESH_MS = 2_000;
/** A reading is shared with whoever asks so soon after its begin; later, somebody else may have told more meanwhile. In ms. */
const SHARED_FOR_MS = 250;
/** An ended task does not change, unless an operator resets its run: seen after this long. */
const ENDED_TTL_MS = 60_000;

/** `isTrue`: it is how things are, and stays so until there is news. */
type Reading =
  | (FoundStatus & { isTrue?: boolean })
  | { outcome: 'unknown' }
  /** `untold`: but nobody was told anything of it. */
  | { outcome: 'unavailable'; untold?: boolean };

/** The states of tasks, each read from whatever can answer (docs/architecture.md), and never an older one after a newer. */
export function createStatus(
  deps: Pick<GenerationsDeps, 'client' | 'ledger' | 'log' | 'onRead' | 'alone'> & Pick<SharedClock, 'now'>,
) {
  const { ledger, log, now, onRead = () => undefined } = deps;
  const readWorkflow = createReadWorkflow(deps);
  const ended = new LRUCache<string, FoundStatus>({ max: ENDS_KEPT, ttl: ENDED_TTL_MS });
  const told = createTold(deps);
  const inFlight = new Map<string, { reading: Promise<Reading>; begunAt: number }>();
  const limit = createReadLimit();
  const iso = (): string => new Date(now()).toISOString();
  /** Readings under way, also those that nobody shares any more. */
  let readings = 0;
  /** Tasks whose end is in the ledger, and was not read yet. */
  const stored = new LRUCache<string, true>({ max: ENDS_KEPT });
  const live = createLiveStates({
    state(snapshot) {
      const { task_id: taskId, repeated } = snapshot;
      if (repeated) {
        ended.delete(taskId);
        stored.delete(taskId);
      }
      // News of a step may come after those of the end.
      else if (!ended.has(taskId) && !stored.has(taskId)) told.keepNewer({ snapshot, asOf: snapshot.updated_at });
      inFlight.delete(taskId);
    },
    stored: endIsStored,
    closed: (taskId) => void inFlight.delete(taskId),
  });

  /** A task's end is in the ledger: it is read there, whatever was known before. */
  function endIsStored(taskId: string): void {
    ended.delete(taskId);
    stored.set(taskId, true);
    inFlight.delete(taskId);
  }

  /** From memory, where that is known to be true; else from whatever can answer. */
  async function read(taskId: string): Promise<Reading> {
    const known = ended.get(taskId) ?? (await vouchedFor(taskId));
    if (known) {
      onRead('memory');
      return known;
    }
    const last = limit.allows(readings) ? undefined : await asKnown(taskId);
    if (!last) return readShared(taskId);
    onRead('busy');
    return last;
  }

  /** Equal reads at the same time are one. */
  function readShared(taskId: string): Promise<Reading> {
    const running = inFlight.get(taskId);
    if (running && performance.now() - running.begunAt < SHARED_FOR_MS) {
      onRead('shared');
      return running.reading;
    }
    const since = live.epoch();
    const isInFlight = (): boolean => inFlight.get(taskId)?.reading === reading;
    const reading: Promise<Reading> = readOnce(taskId)
      .then((read) => {
        // News that came meanwhile has taken the reading out: then this is how it was.
        if (read.outcome === 'found' && read.isTrue && isInFlight()) live.vouch(taskId, since);
        return read;
      })
      .finally(() => {
        readings -= 1;
        if (isInFlight()) inFlight.delete(taskId);
      });
    readings += 1;
    inFlight.set(taskId, { reading, begunAt: performance.now() });
    return reading;
  }

  async function vouchedFor(taskId: string): Promise<FoundStatus | undefined> {
    if (!live.isVouched(taskId)) return undefined;
    const known = await lastTold(taskId);
    return known && { outcome: 'found', snapshot: known.snapshot };
  }

  /** What was told last, which may not be the truth any more. */
  async function asKnown(taskId: string): Promise<FoundStatus | undefined> {
    const known = await lastTold(taskId);
    if (!known || !told.hasCaughtUp()) return undefined;
    const { snapshot, asOf } = known;
    const isFresh = now() - Date.parse(asOf) < FRESH_MS;
    return { outcome: 'found', snapshot, ...(isFresh ? {} : { staleAsOf: asOf }) };
  }

  /** What any process has told last of a task that goes on; undefined where that can't be said without asking. */
  async function lastTold(taskId: string): Promise<ToldState | undefined> {
    if (stored.has(taskId)) return undefined;
    const { state, ended: isOver, certain } = await told.last(taskId);
    if (isOver && !state?.snapshot.repeated) stored.set(taskId, true);
    if (!certain || !state || stored.has(taskId)) return undefined;
    // One that has to have ended by now is asked for; so is one that began anew, as an end of it may be delivered.
    return mayGoOn(state, now()) && !state.snapshot.repeated ? state : undefined;
  }

  /** `isSecond`: Temporal did not know it a moment ago. */
  async function readOnce(taskId: string, { isSecond = false } = {}): Promise<Reading> {
    const end = stored.has(taskId) ? await readEnd(taskId) : null;
    if (end) return end;
    try {
      const reading = await readWorkflow(taskId);
      limit.note(reading.source !== 'described');
      switch (reading.source) {
        case 'query':
          onRead('query');
          return isEnded(reading.snapshot)
            ? remember(reading.snapshot)
            : await running(reading.snapshot, { stale: false, isTrue: true });
        case 'closed':
          onRead('result');
          return remember(reading.snapshot);
        case 'described':
          onRead('memo');
          // What no worker is at work on does not change unheard.
          return await running(reading.snapshot, { stale: true, isTrue: !reading.atWork });
        case 'unknown':
          return await forgotten(taskId, { isSecond });
      }
    } catch (error) {
      // What Temporal still has of it, nobody can read any more: not this process, at least.
      if (error instanceof PayloadErased) return forgotten(taskId, { isUnreadable: true });
      limit.note(false);
      log.warn({ err: error, task_id: taskId }, 'a status could not be read');
      return withoutTemporal(taskId);
    }
  }

  /** The end that is stored; null where it can't be read now. */
  async function readEnd(taskId: string): Promise<FoundStatus | null> {
    const row = await storedRow(taskId);
    if (!row?.ended) return null;
    onRead('row');
    return remember(endedSnapshot(runningOf(row), toStoredEnd(row.ended)));
  }

  function remember(snapshot: EndedSnapshot): FoundStatus {
    const found: FoundStatus = { outcome: 'found', snapshot };
    ended.set(snapshot.task_id, found);
    stored.delete(snapshot.task_id);
    told.forget(snapshot.task_id);
    live.forget(snapshot.task_id);
    return found;
  }

  /** A running task as its workflow says, or wrote down (`stale`) once; but never less than was told of it before. */
  async function running(
    read: RunningSnapshot,
    { stale, isTrue }: { stale: boolean; isTrue: boolean },
  ): Promise<Reading> {
    if (read.repeated) {
      const row = await storedRow(read.task_id);
      if (row === undefined) return { outcome: 'unavailable' };
      // A run that began again does not take back what was delivered; it may put a better prompt in its place.
      if (row?.ended?.status === 'completed') return storedStatus(row);
    }
    const known = await told.tell(read, stale ? read.updated_at : iso());
    // It was stored meanwhile, and perhaps told elsewhere: where it can't be read now, an earlier state would be a step back.
    if (!known || (stored.has(read.task_id) && !read.repeated))
      return (await readEnd(read.task_id)) ?? { outcome: 'unavailable' };
    const { snapshot, asOf } = known;
    // Of a run that began anew the ledger has something to say, too.
    return { outcome: 'found', snapshot, isTrue: isTrue && !read.repeated, ...(stale ? { staleAsOf: asOf } : {}) };
  }

  /** Temporal has no such run (any more): its retention is over, or it never had. `isUnreadable`: it may have one that goes on. */
  async function forgotten(
    taskId: string,
    { isSecond = false, isUnreadable = false }: { isSecond?: boolean; isUnreadable?: boolean },
  ): Promise<Reading> {
    try {
      const row = await withDeadline(ledger.getGeneration(taskId), DEADLINE_MS.ledger);
      if (!row) return unknown(taskId);
      const last = runningOf(row);
      if (!row.ended && isInTime(last, now())) {
        // Of a batch whose own run had not started it yet. It may have done so since: then Temporal knows it now.
        if (!row.queued && !isSecond && !isUnreadable) return await readOnce(taskId, { isSecond: true });
        if (isUnreadable) return await withoutTemporal(taskId);
        if (row.queued) {
          onRead('row');
          return { outcome: 'found', snapshot: last };
        }
      }
      onRead('row');
      if (!row.ended) return await timeOut(last);
      return remember(endedSnapshot(last, toStoredEnd(row.ended)));
    } catch (error) {
      if (error instanceof TaskErased) return unknown(taskId);
      onRead('none');
      log.warn({ err: error, task_id: taskId }, 'neither Temporal nor the ledger knows a task now');
      return { outcome: 'unavailable' };
    }
  }

  /**
   * Its time is over, and its run can't be asked how it ended: from here on it has timed out, whatever its run still says.
   * Throws where that can't be stored: nobody is told of an end that something else may come after.
   */
  async function timeOut(last: RunningSnapshot): Promise<FoundStatus> {
    const { task_id: taskId, owner } = last;
    const end = { status: 'failed', failure: { code: 'timed_out' } } as const;
    const reason = 'its time was over, and its run could not be asked';
    const ending = ledger.endGeneration({ taskId, owner, end, reason, unlessEnded: true });
    const stored = await withDeadline(ending, DEADLINE_MS.ledger);
    return remember(endedSnapshot(last, toStoredEnd(stored)));
  }

  /** As it was known then; or its end, where it must have ended since. */
  async function lastOrEnd(last: ToldState): Promise<Reading> {
    if (mayGoOn(last, now())) return { outcome: 'found', snapshot: last.snapshot, staleAsOf: last.asOf };
    try {
      return await timeOut(last.snapshot);
    } catch (error) {
      const { task_id: taskId } = last.snapshot;
      if (error instanceof TaskErased) return unknown(taskId);
      log.warn({ err: error, task_id: taskId }, 'a task whose time is over could not be ended');
      return { outcome: 'unavailable' };
    }
  }

  function unknown(taskId: string): Reading {
    onRead('none');
    told.forget(taskId);
    return { outcome: 'unknown' };
  }

  /** Temporal is away: a stored end is the truth all the same, anything else is the last that is known. */
  async function withoutTemporal(taskId: string): Promise<Reading> {
    const [row, { state: last, ended: isOver, certain }] = await Promise.all([
      storedRow(taskId),
      told.last(taskId, DEADLINE_MS.ledger),
    ]);
    const isAnew = row?.ended && last ? isAfter(last.snapshot, row.ended) && mayGoOn(last, now()) : false;
    if (row?.ended && !isAnew) {
      onRead('row');
      return storedStatus(row);
    }
    // It is known that it has ended, or nobody can say what was told elsewhere: an earlier state would be a step back.
    if (stored.has(taskId) || (isOver && !isAnew) || !certain) {
      onRead('none');
      return { outcome: 'unavailable' };
    }
    // The row says that the first step came; who started the task may have told no more than that it is queued.
    if (row && !row.ended && (!last || last.snapshot.seq === 0)) {
      onRead('row');
      return lastOrEnd({ snapshot: runningOf(row), asOf: row.updatedAt.toISOString() });
    }
    if (last) {
      onRead('told');
      return lastOrEnd(last);
    }
    onRead('none');
    return { outcome: 'unavailable', untold: true };
  }

  /** null: there is none. undefined: the ledger is away. */
  const storedRow = (taskId: string): Promise<Generation | null | undefined> =>
    withDeadline(ledger.getGeneration(taskId), DEADLINE_MS.ledger).catch((error: unknown) => {
      log.warn({ err: error, task_id: taskId }, 'the ledger could not be asked for a status');
      return undefined;
    });

  /** What a task's state is, if the caller may know. */
  async function status(taskId: string, caller: Caller): Promise<StatusResult> {
    if (!isTaskId(taskId)) return { outcome: 'not_found' };
    let reading = await read(taskId);
    if (reading.outcome === 'unavailable' && reading.untold && caller.kind === 'task') {
      // Our own signature says that the task exists: it was started, and nobody was told more.
      const { owner, startedAt } = caller;
      reading = await lastOrEnd({ snapshot: queuedSnapshot({ taskId, owner, createdAt: startedAt }), asOf: startedAt });
    }
    if (reading.outcome === 'found') {
      return reading.snapshot.owner === caller.owner ? reading : { outcome: 'not_found' };
    }
    return { outcome: reading.outcome === 'unknown' ? 'not_found' : 'unavailable' };
  }

  /**
   * Keeps the first state of a task this process started: what is true until something else is heard of, and for the case
   * that Temporal is away at its first poll. `before`: the epoch before the start.
   */
  function started(taskId: string, owner: string, before: number | null): void {
    const at = iso();
    told.keepNewer({ snapshot: queuedSnapshot({ taskId, owner, createdAt: at }), asOf: at });
    live.vouch(taskId, before);
  }

  /** Forgets the tasks of an owner whose data is erased. */
  function forget(owner: string): void {
    told.forgetOwner(owner);
    for (const [taskId, { snapshot }] of [...ended.entries()]) if (snapshot.owner === owner) ended.delete(taskId);
  }

  /** Forgets a task, so that it is read anew. */
  function forgetTask(taskId: string): void {
    ended.delete(taskId);
    stored.delete(taskId);
    told.forget(taskId);
    live.forget(taskId);
  }

  return { status, started, endIsStored, forget, forgetTask, live };
}

/** Of a run that began anew after this end, which it takes the place of. What was delivered stays until it has an end of its own. */
const isAfter = ({ repeated, updated_at }: RunningSnapshot, { status, endedAt }: EndedGeneration): boolean =>
  repeated === true && status !== 'completed' && Date.parse(updated_at) > endedAt.getTime();
