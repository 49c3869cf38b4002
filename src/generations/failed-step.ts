import type proto from '@temporalio/proto';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** Where a run is to be reset to, so that it goes on with the step that failed. */
export interface FailedStep {
  step: string;
  /** The WorkflowTaskCompleted event that is to be decided anew. */
  eventId: NonNullable<HistoryEvent['eventId']>;
  /** Whether the model has answered before it: that answer is used again, and paid once. */
  hasAnswer: boolean;
}

/** The step whose answer is a refusal, not a failure. */
const REFUSING = 'checkTokens';

/**
 * The first step of a run that failed, or never ended; where all went well but the account was refused, the check of it. null:
 * there is none, as of a run that never began.
 */
export function failedStepOf(events: readonly HistoryEvent[], refused: boolean): FailedStep | null {
  const completed = new Set(
    events.map(({ activityTaskCompletedEventAttributes: end }) => Number(end?.scheduledEventId ?? -1)),
  );
  // The run has not waited for what it cancelled, nor used what that answered all the same.
  const cancelled = new Set(
    events.map(({ activityTaskCancelRequestedEventAttributes: end }) => Number(end?.scheduledEventId ?? -1)),
  );
  const steps = events.flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.workflowTaskCompletedEventId
      ? [
          {
            step: scheduled.activityType?.name ?? '',
            eventId: scheduled.workflowTaskCompletedEventId,
            done: completed.has(Number(eventId)) && !cancelled.has(Number(eventId)),
          },
        ]
      : [],
  );
  const failed = steps.find(({ done, step }) => !done || (refused && step === REFUSING));
  if (!failed) return null;
  const before = steps.slice(0, steps.indexOf(failed));
  const { step, eventId } = failed;
  return { step, eventId, hasAnswer: before.some((one) => one.step === 'generateWithAI') };
}
