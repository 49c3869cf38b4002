import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  isCancellation,
  log,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, Job } from '../activities/index.js';
import type { Failure } from '../contract/failures.js';
import type { GeneratePromptInput } from '../contract/names.js';
import { fallbackEnd } from '../contract/fallback.js';
import { reasonOf } from '../contract/reason.js';
import type { EndedSnapshot, GenerationEnd } from '../contract/snapshot.js';
import { startClock, type Clock } from './clock.js';
import { budgetMs, LATEST_END_MS, STEP_OPTIONS } from './options.js';
import { trackProgress } from './progress.js';
import { summaryOf } from './summaries.js';
import type { Task } from './task.js';

/**
 * One generation, from the queue to its end. A refusal (no tokens, no subscription) is a result; the run fails only on
 * a fault, and is cancelled only when its owner or an operator asked for it. In each case the task is ended in the
 * ledger before the run is.
 */
export async function generatePrompt(input: GeneratePromptInput): Promise<EndedSnapshot> {
  const { workflowId, runId, firstExecutionRunId, startTime } = workflowInfo();
  const task: Task = { taskId: workflowId, owner: input.owner };
  const createdAt = input.batch?.createdAt ?? startTime.toISOString();
  // By an operator's reset, or started again after its end.
  const repeated = input.repeated === true || runId !== firstExecutionRunId;
  const progress = trackProgress(task, createdAt, repeated);
  const clock = startClock(input.batch?.waitedMs);
  const activity = activitiesBy(clock);
  const finalize = finalizeBy(activity, repeated);

  try {
    progress.enter('initializing');
    const job = await activity('initialize', summaryOf.initialize).initialize({
      ...task,
      manualPrompt: input.manualPrompt,
      createdAt,
    });
    progress.about(job);
    if (job.ended) return progress.end(job.ended);

    progress.enter('checkingTokens');
    const check = await activity('checkTokens', summaryOf.checkTokens(job)).checkTokens({
      ...task,
      inputTokens: job.inputTokens,
    });
    if (check.outcome === 'refused') {
      return progress.end(await finalize(task, { status: 'failed', failure: check.refusal }));
    }

    progress.enter('generating', { attempt: 1 });
    const { end, reason } = await writePrompt(activity, input, job, check.maxOutputTokens);

    progress.enter('finalizing');
    const last: GenerationEnd = isOver(clock) ? { status: 'failed', failure: { code: 'timed_out' } } : end;
    return progress.end(await finalize(task, last, reason));
  } catch (error) {
    // A step that fails after the cancellation is not tried again: the error is its own then.
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    const failure: Failure = { code: cancelled ? 'cancelled' : 'internal' };
    const end = await finalize(task, { status: 'failed', failure }, reasonOf(error)).catch((cause: unknown) => {
      // Nothing is lost: what is held expires by itself, and readers end the row when they see this run's end.
      log.error('the task could not be ended in the ledger', { cause });
      return null;
    });
    const last = end ? progress.end(end) : progress.fail(failure);
    if (last.status === 'completed') return last;
    if (cancelled) throw isCancellation(error) ? error : new CancelledFailure('The generation was cancelled');
    throw ApplicationFailure.create({
      message: 'The generation could not be finished',
      type: 'GenerationFailed',
      nonRetryable: true,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}

/**
 * Step 3 with its way out: where the AI can't be used in time, the business gets its own words after the template, and
 * support the reason.
 */
async function writePrompt(
  activity: ActivityOf,
  { manualPrompt }: GeneratePromptInput,
  { instruction, templateVersion, llmTaskQueue }: Job,
  maxOutputTokens: number,
): Promise<{ end: GenerationEnd; reason?: string }> {
  try {
    const { generateWithAI } = activity('generateWithAI', summaryOf.generateWithAI(maxOutputTokens), llmTaskQueue);
    const generated = await generateWithAI({ manualPrompt, instruction, templateVersion, maxOutputTokens });
    return { end: { status: 'completed', generatedByAi: true, ...generated } };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    log.warn('the AI could not be used, delivering the fallback', { error });
    return { end: fallbackEnd(instruction, manualPrompt), reason: reasonOf(error) };
  }
}

/** Step 4. Money is settled whatever is cancelled meanwhile. */
const finalizeBy = (activity: ActivityOf, repeated: boolean) => (task: Task, end: GenerationEnd, reason?: string) =>
  CancellationScope.nonCancellable(() =>
    activity('finalize', summaryOf.finalize(end)).finalize({
      ...task,
      end,
      ...(reason === undefined ? {} : { reason }),
      ...(repeated ? { repeated } : {}),
    }),
  );

/** The activities with the options of a step, the time that is left for it, and what the Web UI says of it. */
const activitiesBy = (clock: Clock) => (step: keyof typeof STEP_OPTIONS, summary: string, taskQueue?: string) =>
  proxyActivities<Activities>({
    ...STEP_OPTIONS[step],
    summary,
    ...(taskQueue === undefined ? {} : { taskQueue }),
    scheduleToCloseTimeout: budgetMs(step, clock()),
  });

type ActivityOf = ReturnType<typeof activitiesBy>;

/**
 * Whether Temporal was away until the task had to end: its owner may have been told that it timed out and cost nothing, so
 * that stays true.
 */
const isOver = (clock: Clock): boolean => clock() >= LATEST_END_MS.finalize;
