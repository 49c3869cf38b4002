import { LRUCache } from 'lru-cache';
import { isTaskId } from '../contract/names.js';
import {
  endedSnapshot,
  isEnded,
  queuedSnapshot,
  type EndedSnapshot,
  type RunningSnapshot,
} from '../contract/snapshot.js';
import type { Failure } from '../contract/failures.js';
import { PayloadErased } from '../encryption/payload-codec.js';
import { TaskErased } from '../ledger/task-erased.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Generation } from '../ledger/types.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';
import { withDeadline } from '../with-deadline.js';
import { createReadWorkflow } from './read-workflow.js';
import { orTimedOut, runningOf, storedStatus } from './stored-status.js';
import { createTold } from './told.js';
import type { Caller, FoundStatus, StatusResult } from './types.js';

/** Snapshots kept per process; an ended one holds a prompt of some kilobytes. */
const KEPT = 5_000;
/** An ended task does not change, unless an operator resets its run: seen after this long. */
const ENDED_TTL_MS = 60_000;

type Reading = FoundStatus | { outcome: 'unknown' } | { outcome: 'unavailable' };

/** The states of tasks, each read from whatever can answer (docs/architecture.md), and never an older one after a newer. */
export function createStatus(deps: Pick<GenerationsDeps, 'client' | 'ledger' | 'log'>) {
  const { ledger, log } = deps;
  const readWorkflow = createReadWorkflow(deps);
  const ended = new LRUCache<string, FoundStatus>({ max: KEPT, ttl: ENDED_TTL_MS });
  const told = createTold(deps);
  const inFlight = new Map<string, Promise<Reading>>();

  /** Equal reads at the same time are one. */
  function read(taskId: string): Promise<Reading> {
    const known = ended.get(taskId);
    if (known) return Promise.resolve(known);
    const running = inFlight.get(taskId);
    if (running) return running;
    const reading = readOnce(taskId).finally(() => inFlight.delete(taskId));
    inFlight.set(taskId, reading);
    return reading;
  }

  async function readOnce(taskId: string): Promise<Reading> {
    try {
      const reading = await readWorkflow(taskId);
      switch (reading.source) {
        case 'query':
          return isEnded(reading.snapshot) ? remember(reading.snapshot) : await running(reading.snapshot, false);
        case 'closed':
          return reading.final ? remember(reading.snapshot) : { outcome: 'found', snapshot: reading.snapshot };
        case 'described':
          return await running(reading.snapshot, true);
        case 'unknown':
          return await forgotten(taskId);
      }
    } catch (error) {
      // What Temporal still has of it, nobody can read any more.
      if (error instanceof PayloadErased) return forgotten(taskId);
      log.warn({ err: error, task_id: taskId }, 'Temporal could not be asked for a status');
      return withoutTemporal(taskId);
    }
  }

  function remember(snapshot: EndedSnapshot): FoundStatus {
    const found: FoundStatus = { outcome: 'found', snapshot };
    ended.set(snapshot.task_id, found);
    told.forget(snapshot.task_id);
    return found;
  }

  /** A running task as its workflow says, or wrote down (`stale`) once; but never less than was told of it before. */
  async function running(now: RunningSnapshot, stale: boolean): Promise<FoundStatus> {
    if (now.repeated) {
      const row = await storedRow(now.task_id);
      // A run that began again does not take back what was delivered; it may put a better prompt in its place.
      if (row?.ended?.status === 'completed') return storedStatus(row);
    }
    const { snapshot, asOf } = await told.tell(now, stale ? now.updated_at : new Date().toISOString());
    return { outcome: 'found', snapshot, ...(stale ? { staleAsOf: asOf } : {}) };
  }

  /** Temporal has no such run (any more): its retention is over, or it never had. */
  async function forgotten(taskId: string): Promise<Reading> {
    try {
      const row = await ledger.getGeneration(taskId);
      if (!row) return unknown(taskId);
      const failure: Failure = { code: 'timed_out' };
      const { owner } = row;
      const end = row.ended ?? (await ledger.endGeneration({ taskId, owner, end: { status: 'failed', failure } }));
      return remember(endedSnapshot(runningOf(row), toStoredEnd(end)));
    } catch (error) {
      if (error instanceof TaskErased) return unknown(taskId);
      log.warn({ err: error, task_id: taskId }, 'neither Temporal nor the ledger knows a task now');
      return { outcome: 'unavailable' };
    }
  }

  function unknown(taskId: string): Reading {
    told.forget(taskId);
    return { outcome: 'unknown' };
  }

  /** Temporal is away: a stored end is the truth all the same, anything else is the last that is known. */
  async function withoutTemporal(taskId: string): Promise<Reading> {
    const [row, last] = await Promise.all([storedRow(taskId), told.last(taskId)]);
    if (row?.ended) return storedStatus(row);
    // The row says that the first step came; who started the task may have told no more than that it is queued.
    if (row && (!last || last.snapshot.seq === 0)) return storedStatus(row);
    return last ? orTimedOut(last.snapshot, last.asOf) : { outcome: 'unavailable' };
  }

  /** null: there is none, or the ledger is away too. */
  const storedRow = (taskId: string): Promise<Generation | null> =>
    withDeadline(ledger.getGeneration(taskId), DEADLINE_MS.ledger).catch((error: unknown) => {
      log.warn({ err: error, task_id: taskId }, 'the ledger could not be asked for a status');
      return null;
    });

  /** What a task's state is, if the caller may know. */
  async function status(taskId: string, caller: Caller): Promise<StatusResult> {
    if (!isTaskId(taskId)) return { outcome: 'not_found' };
    const reading = await read(taskId);
    if (reading.outcome === 'found') {
      return reading.snapshot.owner === caller.owner ? reading : { outcome: 'not_found' };
    }
    if (reading.outcome === 'unknown') return { outcome: 'not_found' };
    if (caller.kind === 'owner') return reading;
    // Our own signature says that the task exists: it was started, and that is the last we know.
    const { taskId: task, owner, startedAt } = caller;
    const snapshot = queuedSnapshot({ taskId: task, owner, createdAt: startedAt });
    return { outcome: 'found', snapshot, staleAsOf: startedAt };
  }

  /** Keeps the first state of a task this process started, for the case that Temporal is away at its first poll. */
  function started(taskId: string, owner: string): void {
    const now = new Date().toISOString();
    told.keep({ snapshot: queuedSnapshot({ taskId, owner, createdAt: now }), asOf: now });
  }

  /** Forgets the tasks of an owner whose data is erased. */
  function forget(owner: string): void {
    told.forgetOwner(owner);
    for (const [taskId, { snapshot }] of [...ended.entries()]) if (snapshot.owner === owner) ended.delete(taskId);
  }

  /** Forgets a task, so that it is read anew. */
  function forgetTask(taskId: string): void {
    ended.delete(taskId);
    told.forget(taskId);
  }

  return { status, started, forget, forgetTask };
}
