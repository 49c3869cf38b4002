import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { atStep, endedSnapshot, queuedSnapshot, type RunningSnapshot } from '../contract/snapshot.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Generation, ToldState } from '../ledger/types.js';
import type { FoundStatus } from './types.js';

/** A task as its row tells it: as it ended, or stale, as nothing newer can be had. */
export function storedStatus(row: Generation): FoundStatus {
  if (row.ended) return { outcome: 'found', snapshot: endedSnapshot(runningOf(row), toStoredEnd(row.ended)) };
  return { outcome: 'found', snapshot: runningOf(row), staleAsOf: row.updatedAt.toISOString() };
}

/** Whether the run of a task or batch may still go on. `now`: see `SharedClock`. */
export const isInTime = ({ created_at }: Pick<RunningSnapshot, 'created_at'>, now: number): boolean =>
  now < Date.parse(created_at) + WORKFLOW_TIMEOUT_MS;

/** The same of a state that was told. A run that began anew has a time of its own, which began before it was told of. */
export const mayGoOn = ({ snapshot, asOf }: ToldState, now: number): boolean =>
  isInTime({ created_at: snapshot.repeated ? asOf : snapshot.created_at }, now);

/** What is left of a task in its row, before its end: its first step made that, unless it is an item that waits for it. */
export function runningOf(row: Generation): RunningSnapshot {
  const queued = queuedSnapshot({ taskId: row.taskId, owner: row.owner, createdAt: row.createdAt.toISOString() });
  return row.queued ? queued : atStep(queued, 'initializing', row.updatedAt.toISOString());
}
