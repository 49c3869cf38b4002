import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { LLM_ATTEMPT_MS } from '../contract/limits.js';
import type { LlmProgress } from '../contract/names.js';
import type { WrittenText } from '../feed/messages.js';
import type { Usage } from '../contract/snapshot.js';
import { cleanAnswer, composeRequest } from '../llm/compose-request.js';
import { LlmError, type Answer, type Llm } from '../llm/llm.js';
import { workKeyOf } from '../llm/work-key.js';

export interface GenerateWithAiInput {
  manualPrompt: string;
  /** What the prompt builds on. */
  instruction: string;
  /** Of the template the instruction is from; null: the generic one; absent: of a run that older code began. */
  templateVersion?: number | null;
  maxOutputTokens: number;
}

export interface GeneratedPrompt {
  prompt: string;
  model: string;
  usage: Usage;
  /** Of the work it is the result of; absent: it is not to serve an equal request. */
  workKey?: string;
}

/** What `generateWithAI` needs. */
export interface GenerateWithAiDeps {
  llm: Llm;
  /** Which model that is, as `modelIdOf` says. */
  modelId: string;
  /** Tells the running workflow how the call goes. */
  tellWorkflow: (progress: LlmProgress) => Promise<void>;
  /** Shows whoever watches what the model writes. */
  showText: (text: WrittenText) => void;
}

/** As often as the worker hands them on (start-worker.ts): more would be work for nothing, and hundreds of calls may wait. */
export const HEARTBEAT_EVERY_MS = 5_000;
/** An answer that is whole sooner needs no step of its own: telling of its first text costs a workflow task. */
export const TELL_AFTER_MS = 100;
/** Ours comes before Temporal's, so that the attempt fails with a reason an operator understands. */
const ATTEMPT_MS = LLM_ATTEMPT_MS - 2_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;
/** Of an answer that reached the most tokens it might have. */
const CUT_SHORT = 'length';

/**
 * Step 3: the call of the model. Throws an `ApplicationFailure` of type `LlmUnavailable` (worth another attempt, with
 * the time of it) or `LlmRefused` (not worth one). Cancelling it aborts the request.
 */
export const createGenerateWithAi = ({ llm, modelId, tellWorkflow, showText }: GenerateWithAiDeps) => {
  const tell = async (progress: LlmProgress): Promise<void> => {
    try {
      await tellWorkflow(progress);
    } catch (error) {
      // The news is a courtesy to the one who waits; the answer of the model is worth more.
      log.warn('the workflow could not be told of the progress', { error, kind: progress.kind });
    }
  };

  return async (input: GenerateWithAiInput): Promise<GeneratedPrompt> => {
    const { attempt, workflowExecution } = activityInfo();
    const taskId = workflowExecution?.workflowId ?? '';
    let chars = 0;
    const timedOut = AbortSignal.timeout(ATTEMPT_MS);
    const told: Promise<void>[] = [];
    const request = composeRequest(input.instruction, input.manualPrompt);
    const beat = setInterval(heartbeat, HEARTBEAT_EVERY_MS);
    let firstText: NodeJS.Timeout | undefined;
    try {
      const answer = await llm.generate(request, {
        maxOutputTokens: input.maxOutputTokens,
        signal: AbortSignal.any([cancellationSignal(), timedOut]),
        onText: (text) => {
          firstText ??= setTimeout(() => told.push(tell({ kind: 'responding', attempt })), TELL_AFTER_MS);
          showText({ taskId, attempt, offset: chars, text });
          chars += text.length;
        },
      });
      const { templateVersion } = input;
      // One that was cut short, as its owner could afford no more, is not what an equal request would get.
      const isReusable = answer.finishReason !== CUT_SHORT && templateVersion !== undefined;
      return {
        ...promptOf(answer),
        ...(isReusable ? { workKey: workKeyOf({ modelId, templateVersion, request }) } : {}),
      };
    } catch (error) {
      cancellationSignal().throwIfAborted();
      const failure = timedOut.aborted ? new LlmError('The model took too long', true) : error;
      if (!(failure instanceof LlmError)) throw failure;
      const retryInMs = failure.retryable ? retryDelayMs(attempt, failure.retryAfterMs) : undefined;
      if (retryInMs !== undefined && hasTimeFor(retryInMs)) {
        const nextAttemptAt = new Date(Date.now() + retryInMs).toISOString();
        told.push(tell({ kind: 'retrying', attempt: attempt + 1, nextAttemptAt }));
      }
      const thrown = toFailure(failure, retryInMs);
      // An LlmError's words are ours: none of them is of the user or of the model.
      const { message: reason, status } = failure;
      log.warn('an attempt to ask the model failed', { type: thrown.type, reason, status, attempt, retryInMs });
      throw thrown;
    } finally {
      clearTimeout(firstText);
      // What was said of this attempt arrives before its end does.
      await Promise.all(told);
      clearInterval(beat);
    }
  };
};

function promptOf(answer: Answer): GeneratedPrompt {
  if (answer.finishReason === 'content_filter') throw new LlmError('The model refused by its content filter', false);
  const prompt = cleanAnswer(answer.text);
  if (prompt === '') throw new LlmError('The model answered with an empty text', false);
  return { prompt, model: answer.model.replaceAll('\0', ''), usage: answer.usage };
}

const retryDelayMs = (attempt: number, askedForMs: number | undefined): number =>
  askedForMs ?? Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);

/** Whether Temporal will start another attempt after that delay. */
function hasTimeFor(delayMs: number): boolean {
  const { attempt, retryPolicy, scheduledTimestampMs, scheduleToCloseTimeoutMs } = activityInfo();
  const attemptsLeft = (retryPolicy?.maximumAttempts ?? Infinity) - attempt;
  return attemptsLeft > 0 && Date.now() + delayMs < scheduledTimestampMs + scheduleToCloseTimeoutMs;
}

function toFailure(error: LlmError, retryInMs: number | undefined): ApplicationFailure {
  if (retryInMs === undefined)
    return ApplicationFailure.create({ message: error.message, type: 'LlmRefused', nonRetryable: true });
  return ApplicationFailure.create({
    message: error.message,
    type: 'LlmUnavailable',
    // Zero would mean "as the policy says".
    nextRetryDelay: Math.max(1, retryInMs),
  });
}
