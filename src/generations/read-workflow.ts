import { QueryRejectedError, WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Failure } from '../contract/failures.js';
import { PROGRESS_QUERY, type GenerationMemo } from '../contract/names.js';
import {
  endedSnapshot,
  isEnded,
  queuedSnapshot,
  type EndedSnapshot,
  type RunningSnapshot,
  type Snapshot,
} from '../contract/snapshot.js';
import { assertNever } from '../contract/assert-never.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import { TaskErased } from '../ledger/task-erased.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { withPendingActivities } from './pending-activities.js';
import { isQueryUnanswered } from './temporal-outage.js';

const { WorkflowExecutionStatus, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;
const COMPLETED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED;
const WORKFLOW_TASK_STARTED = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED;

/**
 * What Temporal says of a task. `described`: no worker answered, this is what its last one wrote down; `atWork`: and one
 * may just be at the next step. Throws when Temporal can't be asked.
 */
export type WorkflowReading =
  | { source: 'query'; snapshot: Snapshot }
  | { source: 'closed'; snapshot: EndedSnapshot }
  | { source: 'described'; snapshot: RunningSnapshot; atWork: boolean }
  | { source: 'unknown' };

/** Asks Temporal for a task: the workflow itself, its result, or its memo, whichever can answer. */
export function createReadWorkflow({ client, ledger, log }: Pick<GenerationsDeps, 'client' | 'ledger' | 'log'>) {
  return async function readWorkflow(taskId: string): Promise<WorkflowReading> {
    const handle = client.workflow.getHandle(taskId);
    try {
      const snapshot = await within(client, DEADLINE_MS.query, () => handle.query<Snapshot>(PROGRESS_QUERY));
      return { source: 'query', snapshot };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { source: 'unknown' };
      if (error instanceof QueryRejectedError && error.status === COMPLETED) return resultOf(taskId);
      if (!(error instanceof QueryRejectedError) && !isQueryUnanswered(error)) throw error;
      log.debug({ err: error, task_id: taskId }, 'the workflow did not answer its query');
      return describe(taskId);
    }
  };

  async function resultOf(taskId: string): Promise<WorkflowReading> {
    const handle = client.workflow.getHandle(taskId);
    const snapshot = await within(client, DEADLINE_MS.read, () => handle.result() as Promise<EndedSnapshot>);
    return { source: 'closed', snapshot };
  }

  async function describe(taskId: string): Promise<WorkflowReading> {
    const handle = client.workflow.getHandle(taskId);
    try {
      const description = await within(client, DEADLINE_MS.read, () => handle.describe());
      const { name } = description.status;
      // Whoever asked for the end reads that it came, however the run got there.
      const cancelRequested = description.raw.workflowExtendedInfo?.cancelRequested ?? false;
      switch (name) {
        case 'RUNNING':
        case 'PAUSED':
          return {
            source: 'described',
            snapshot: withPendingActivities(runningOf(description), description),
            atWork: description.raw.pendingWorkflowTask?.state === WORKFLOW_TASK_STARTED,
          };
        case 'COMPLETED':
          return await resultOf(taskId);
        case 'CANCELLED':
          return await brokenOff(description, { code: 'cancelled' });
        case 'TERMINATED':
          return await brokenOff(description, { code: 'cancelled' });
        case 'TIMED_OUT':
          return await brokenOff(description, { code: cancelRequested ? 'cancelled' : 'timed_out' });
        case 'FAILED':
        case 'CONTINUED_AS_NEW':
        case 'UNSPECIFIED':
        case 'UNKNOWN':
          return await brokenOff(description, { code: cancelRequested ? 'cancelled' : 'internal' });
        default:
          return assertNever(name);
      }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { source: 'unknown' };
      throw error;
    }
  }

  /**
   * A run that ended without a result. What the ledger has stored is the truth of it; where it has nothing (the run was
   * terminated or timed out), the task is ended there now, so that its tokens are free and the answer stays the same. Throws
   * where the ledger is away: the run may have stored another end before it was broken off.
   */
  async function brokenOff(description: WorkflowExecutionDescription, failure: Failure): Promise<WorkflowReading> {
    const now = runningOf(description);
    const { task_id: taskId, owner, repeated } = now;
    try {
      const stored = (await ledger.getGeneration(taskId))?.ended;
      const { runId, status } = description;
      const reason = `its run is ${status.name} in Temporal`;
      const end =
        stored ??
        (await ledger.endGeneration({ taskId, owner, runId, repeated, reason, end: { status: 'failed', failure } }));
      return { source: 'closed', snapshot: endedSnapshot(now, toStoredEnd(end)) };
    } catch (error) {
      if (error instanceof TaskErased) return { source: 'unknown' };
      throw error;
    }
  }
}

/** The last step a run wrote down, or the first one where it never ran. */
function runningOf({ workflowId, runId, startTime, memo, raw }: WorkflowExecutionDescription): RunningSnapshot {
  const { owner, progress } = (memo ?? {}) as unknown as GenerationMemo;
  const queued = queuedSnapshot({ taskId: workflowId, owner, createdAt: startTime.toISOString() });
  const snapshot = progress ? ({ ...progress, owner } as Snapshot) : queued;
  const running = isEnded(snapshot) ? { ...queued, seq: snapshot.seq } : snapshot;
  // What a memo has was perhaps written before the run began again.
  const firstRunId = raw.workflowExecutionInfo?.firstRunId;
  return firstRunId && firstRunId !== runId ? { ...running, repeated: true } : running;
}
