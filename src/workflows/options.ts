import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import { LLM_ATTEMPT_MS, LLM_BUDGET_MS, LLM_HEARTBEAT_TIMEOUT_MS } from '../contract/limits.js';

/** A database answers in milliseconds or is away: ask again soon, and never wait long for one answer. */
const DATABASE: ActivityOptions = {
  startToCloseTimeout: 5_000,
  retry: { initialInterval: 200, backoffCoefficient: 2, maximumInterval: 3_000 },
};

/** Each step's timeouts and retries; how long it may go on altogether is `budgetMs`. */
export const STEP_OPTIONS = {
  initialize: DATABASE,
  checkTokens: DATABASE,
  generateWithAI: {
    startToCloseTimeout: LLM_ATTEMPT_MS,
    heartbeatTimeout: LLM_HEARTBEAT_TIMEOUT_MS,
    // The activity names the time of the next attempt itself; this interval is for a worker that vanished.
    retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 10_000, maximumAttempts: 5 },
    // A cancelled task ends at once; its call of the model hears of it with its next heartbeat, and no answer counts.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  },
  // Where steps wait for a worker, those that end a task go first: its answer is there, and its tokens are held.
  finalize: { ...DATABASE, priority: { priorityKey: 2 } },
} as const satisfies Record<string, ActivityOptions>;

/**
 * Until when a step may go on, in ms since the workflow's start. Each leaves the later ones what they need, and all end
 * before the workflow's own timeout (110 s), which would cut off the settling of money.
 */
export const LATEST_END_MS = {
  initialize: 60_000,
  checkTokens: 60_000,
  generateWithAI: 90_000,
  finalize: 107_000,
} as const;

/** Enough for one attempt of a step that a late worker starts when its time is over. */
const LEAST_MS = 2_000;

/** How long a step may go on altogether, all attempts and waiting between them, in ms. */
export function budgetMs(step: keyof typeof LATEST_END_MS, sinceStartMs: number): number {
  const left = Math.max(LEAST_MS, LATEST_END_MS[step] - sinceStartMs);
  return step === 'generateWithAI' ? Math.min(LLM_BUDGET_MS, left) : left;
}
