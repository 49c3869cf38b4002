import { workflowInfo } from '@temporalio/workflow';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';

/** How long a run has been going, in ms. */
export type Clock = () => number;

/** The clock of this run, which was asked for `waitedMs` before its start. */
export function startClock(waitedMs = 0): Clock {
  const { startTime, runId, firstExecutionRunId } = workflowInfo();
  return clockOf({
    startedAtMs: startTime.getTime() - waitedMs,
    isReset: runId !== firstExecutionRunId,
    now: Date.now,
  });
}

/**
 * A reset run has the start of the run it resets. Where that is longer ago than any run may last, it was reset after its
 * end: then its time begins anew, as Temporal's own timeout of it does.
 */
export function clockOf({ startedAtMs, isReset, now }: { startedAtMs: number; isReset: boolean; now: Clock }): Clock {
  let sinceMs = startedAtMs;
  let mayBeginAnew = isReset;
  return () => {
    if (mayBeginAnew && now() - sinceMs > WORKFLOW_TIMEOUT_MS) {
      sinceMs = now();
      mayBeginAnew = false;
    }
    return now() - sinceMs;
  };
}
