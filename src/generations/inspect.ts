import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { GenerationMemo } from '../contract/names.js';
import { PayloadErased } from '../encryption/payload-codec.js';
import type { Logger } from '../log.js';
import { DEADLINE_MS, within } from './deps.js';
import { dateOf, timelineOf, whyOf, type TimelineEvent } from './timeline.js';
import type { Unavailable } from './types.js';

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;

/** A step that Temporal has not heard the end of. */
export interface PendingStep {
  step: string;
  attempt: number;
  /** null: it is being tried now. */
  nextAttemptAt: Date | null;
  /** Why its last attempt failed; null: it is the first one. */
  why: string | null;
}

/** The latest run of a task, as Temporal knows it. */
export interface RunReport {
  runId: string;
  /** In Temporal's words, such as RUNNING or TIMED_OUT. */
  status: string;
  startedAt: Date;
  closedAt: Date | null;
  timeline: TimelineEvent[];
  pending: PendingStep[];
}

export type InspectResult =
  | { outcome: 'found'; owner: string; run: RunReport }
  /** Its retention is over, its owner was erased, or it never had one. */
  | { outcome: 'forgotten' }
  | Unavailable;

/** Reads what Temporal knows of a task's latest run, without a worker. */
export function createInspect({ client, log }: { client: Client; log: Logger }) {
  const converter = client.options.loadedDataConverter;

  return async function inspect(taskId: string): Promise<InspectResult> {
    try {
      const handle = client.workflow.getHandle(taskId);
      const { raw, memo } = await within(client, DEADLINE_MS.read, () => handle.describe());
      const info = raw.workflowExecutionInfo;
      const runId = info?.execution?.runId ?? '';
      const { events } = await within(client, DEADLINE_MS.list, () =>
        client.workflow.getHandle(taskId, runId).fetchHistory(),
      );
      const pending = (raw.pendingActivities ?? []).map(async (activity): Promise<PendingStep> => {
        const next = activity.nextAttemptScheduleTime;
        return {
          step: activity.activityType?.name ?? '',
          attempt: activity.attempt ?? 1,
          nextAttemptAt: next ? dateOf(next) : null,
          why: activity.lastFailure ? await whyOf(activity.lastFailure, converter) : null,
        };
      });
      const run: RunReport = {
        runId,
        status: statusOf(info?.status),
        startedAt: dateOf(info?.startTime),
        closedAt: info?.closeTime ? dateOf(info.closeTime) : null,
        timeline: await timelineOf(events ?? [], converter),
        pending: await Promise.all(pending),
      };
      return { outcome: 'found', owner: (memo as unknown as GenerationMemo).owner, run };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof PayloadErased) return { outcome: 'forgotten' };
      log.warn({ err: error, task_id: taskId }, 'Temporal could not be asked for a run');
      return { outcome: 'unavailable' };
    }
  };
}

const statusOf = (status: proto.temporal.api.enums.v1.WorkflowExecutionStatus | null | undefined): string =>
  (WorkflowExecutionStatus[status ?? 0] ?? 'UNSPECIFIED').replace('WORKFLOW_EXECUTION_STATUS_', '');
