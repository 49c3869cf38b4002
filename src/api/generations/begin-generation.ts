import type { Generations, StartResult } from '../../generations/types.js';
import type { StartLimits } from '../../ledger/types.js';
import { callerOf, type RouteContext } from '../context.js';
import { ApiError } from '../api-error.js';
import type { ApiMetrics } from '../../metrics/api-metrics.js';
import { readParameter } from '../validate.js';
import { manualPromptOf, manualPromptsOf, reuseOf } from './manual-prompt.js';
import { IDEMPOTENCY_KEY } from './parameters.js';
import { limitedError, overloadedError, policyHeader, quotaHeader } from './start-limits.js';

/** What a request is answered with. */
export interface Begun {
  taskId: string;
  /** How its task began no work of its own, in the words of the answer. */
  reused: { cached?: true; joined?: true };
}

export interface BeginDeps {
  generations: Generations;
  limits: StartLimits;
  metrics: ApiMetrics;
}

/** So that nobody takes it for the same request, nor waits for an answer to it. */
const KEY_ERASED = 'This Idempotency-Key was used before, for a task that was erased. Use a new one.';

/** Starts what the request asks for, or finds the task that the same request, or an equal one, started before. */
export async function beginGeneration(ctx: RouteContext, deps: BeginDeps): Promise<Begun> {
  ctx.set('RateLimit-Policy', policyHeader(deps.limits));
  const manualPrompt = manualPromptOf(ctx.request.body);
  const reuse = reuseOf(ctx.request.body) ? { reuse: true } : {};
  return begin(ctx, deps, 1, (request) => deps.generations.start({ ...request, manualPrompt, ...reuse }));
}

/** The same for a batch. */
export async function beginBatch(ctx: RouteContext, deps: BeginDeps): Promise<{ batchId: string; items: number }> {
  ctx.set('RateLimit-Policy', policyHeader(deps.limits));
  const manualPrompts = manualPromptsOf(ctx.request.body, deps.limits);
  const items = manualPrompts.length;
  const start = (request: StartRequest) => deps.generations.batches.start({ ...request, manualPrompts });
  return { batchId: (await begin(ctx, deps, items, start)).taskId, items };
}

type StartRequest = Omit<Parameters<Generations['start']>[0], 'manualPrompt'>;

async function begin(
  ctx: RouteContext,
  { limits, metrics }: BeginDeps,
  tasks: number,
  start: (request: StartRequest) => Promise<StartResult>,
): Promise<Begun> {
  const idempotencyKey = readParameter(ctx, IDEMPOTENCY_KEY);
  const { owner } = callerOf(ctx);
  const result = await start({ owner, idempotencyKey, requestId: ctx.state.requestId });
  metrics.starts.inc({ outcome: result.outcome === 'limited' ? `limited_${result.limit}` : result.outcome }, tasks);
  if (result.quota) ctx.set('RateLimit', quotaHeader(result.quota));
  switch (result.outcome) {
    case 'erased':
      throw new ApiError('idempotency_key_reused', { detail: KEY_ERASED });
    case 'key_reused':
      throw new ApiError('idempotency_key_reused');
    case 'limited':
      throw limitedError(result.limit, result.retryAfterMs, limits);
    case 'overloaded':
      throw overloadedError(result);
    case 'unavailable':
      throw new ApiError('unavailable');
    case 'existing':
      ctx.set('Idempotent-Replayed', 'true');
      break;
    case 'started':
    case 'cached':
    case 'joined':
  }
  ctx.state.taskId = result.taskId;
  const how = result.outcome === 'existing' ? result.reused : result.outcome;
  return {
    taskId: result.taskId,
    reused: { ...(how === 'cached' ? { cached: true } : {}), ...(how === 'joined' ? { joined: true } : {}) },
  };
}
