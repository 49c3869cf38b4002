import type { WorkflowExecutionDescription } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Detail, RunningSnapshot } from '../contract/snapshot.js';

/** A worker is at it. */
const STARTED = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;

/**
 * Adds what Temporal itself knows of a run whose worker does not answer: what it waits for, and how often that was tried.
 */
export function withPendingActivities(
  snapshot: RunningSnapshot,
  { raw }: Pick<WorkflowExecutionDescription, 'raw'>,
): RunningSnapshot {
  const pending = raw.pendingActivities?.[0];
  const detail: Detail = { ...snapshot.detail };
  if (pending?.state !== STARTED) detail.waiting_for = 'worker';
  if (pending?.attempt && pending.attempt > 1) {
    detail.attempt = pending.attempt;
    const next = pending.nextAttemptScheduleTime;
    if (next?.seconds) detail.next_attempt_at = new Date(Number(next.seconds) * 1000).toISOString();
  }
  return { ...snapshot, detail };
}
