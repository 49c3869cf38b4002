import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { atStep, endedSnapshot, failedSnapshot, queuedSnapshot, type RunningSnapshot } from '../contract/snapshot.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Generation } from '../ledger/types.js';
import type { FoundStatus } from './types.js';

/** A task as its row tells it: as it ended, or stale, as nothing newer can be had. `now`: see `SharedClock`. */
export function storedStatus(row: Generation, now: number): FoundStatus {
  if (row.ended) return { outcome: 'found', snapshot: endedSnapshot(runningOf(row), toStoredEnd(row.ended)) };
  return orTimedOut(runningOf(row), row.updatedAt.toISOString(), now);
}

/** The last state known, as long as its run may still go on: Temporal ends it then, as soon as it is back. */
export function orTimedOut(snapshot: RunningSnapshot, asOf: string, now: number): FoundStatus {
  if (isInTime(snapshot, now)) return { outcome: 'found', snapshot, staleAsOf: asOf };
  const end = failedSnapshot(snapshot, { code: 'timed_out' }, new Date(endsBy(snapshot)).toISOString());
  return { outcome: 'found', snapshot: end };
}

/** Whether the run of a task or batch may still go on. */
export const isInTime = (task: Pick<RunningSnapshot, 'created_at'>, now: number): boolean => now < endsBy(task);

const endsBy = ({ created_at }: Pick<RunningSnapshot, 'created_at'>): number =>
  Date.parse(created_at) + WORKFLOW_TIMEOUT_MS;

/** What is left of a task in its row, before its end: its first step made that, unless it is an item that waits for it. */
export function runningOf(row: Generation): RunningSnapshot {
  const queued = queuedSnapshot({ taskId: row.taskId, owner: row.owner, createdAt: row.createdAt.toISOString() });
  return row.queued ? queued : atStep(queued, 'initializing', row.updatedAt.toISOString());
}
