import type { LoadedDataConverter } from '@temporalio/common';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto from '@temporalio/proto';
import { reasonOf } from '../contract/reason.js';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;
type Failure = proto.temporal.api.failure.v1.IFailure;
type Timestamp = proto.google.protobuf.ITimestamp;

/** What can happen to a run, as far as support needs to know. */
export const TIMELINE_EVENTS = [
  'started',
  'step_began',
  'step_completed',
  'step_failed',
  'cancel_requested',
  'reset',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
] as const;

/** One thing that happened to a run, without any text of its owner or the model. */
export interface TimelineEvent {
  at: Date;
  event: (typeof TIMELINE_EVENTS)[number];
  /** The activity. */
  step?: string;
  /** Of the step, from 1: its last one, where it failed or began anew. */
  attempt?: number;
  /** Of what failed, in words for support. */
  why?: string;
}

const RESET = proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;

/** Reads what support needs to know from a run's history. Throws PayloadErased where its owner's key is destroyed. */
export async function timelineOf(
  events: readonly HistoryEvent[],
  converter: LoadedDataConverter,
): Promise<TimelineEvent[]> {
  const steps = new Map<number, { step: string; attempt: number }>();
  const timeline: TimelineEvent[] = [];

  for (const event of events) {
    const at = dateOf(event.eventTime);
    const scheduled = event.activityTaskScheduledEventAttributes;
    const began = event.activityTaskStartedEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    const broken =
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (scheduled) {
      steps.set(Number(event.eventId), { step: scheduled.activityType?.name ?? '', attempt: 1 });
    } else if (began) {
      const step = steps.get(Number(began.scheduledEventId));
      if (step) step.attempt = began.attempt ?? 1;
      const why = began.lastFailure ? { why: await whyOf(began.lastFailure, converter) } : {};
      if (step) timeline.push({ at, event: 'step_began', ...step, ...why });
    } else if (completed) {
      timeline.push({ at, event: 'step_completed', ...steps.get(Number(completed.scheduledEventId)) });
    } else if (broken) {
      const failure = 'failure' in broken ? broken.failure : null;
      const why = failure ? await whyOf(failure, converter) : 'cancelled';
      timeline.push({ at, event: 'step_failed', ...steps.get(Number(broken.scheduledEventId)), why });
    } else {
      const ofRun = await runEventOf(event, converter);
      if (ofRun) timeline.push({ at, ...ofRun });
    }
  }
  return timeline;
}

/** What happened to the run itself; null: nothing that support needs to know. */
async function runEventOf(
  event: HistoryEvent,
  converter: LoadedDataConverter,
): Promise<Omit<TimelineEvent, 'at'> | null> {
  if (event.workflowExecutionStartedEventAttributes) return { event: 'started' };
  if (event.workflowExecutionCancelRequestedEventAttributes) return { event: 'cancel_requested' };
  if (event.workflowExecutionCompletedEventAttributes) return { event: 'completed' };
  if (event.workflowExecutionCanceledEventAttributes) return { event: 'cancelled' };
  if (event.workflowExecutionTimedOutEventAttributes) return { event: 'timed_out' };
  if (event.workflowExecutionTerminatedEventAttributes) return { event: 'terminated' };
  if (event.workflowTaskFailedEventAttributes?.cause === RESET) return { event: 'reset' };
  const failed = event.workflowExecutionFailedEventAttributes;
  return failed?.failure ? { event: 'failed', why: await whyOf(failed.failure, converter) } : null;
}

/** A failure as Temporal stores it, perhaps encrypted, in words for support. */
export const whyOf = async (failure: Failure, converter: LoadedDataConverter): Promise<string> =>
  reasonOf(await decodeOptionalFailureToOptionalError(converter, failure));

/** A time of Temporal's. */
export const dateOf = (time: Timestamp | null | undefined): Date =>
  new Date(Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6));
