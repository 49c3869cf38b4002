import type { Generations } from '../../generations/types.js';
import { callerOf, type RouteContext } from '../context.js';
import { ApiError } from '../api-error.js';
import type { ApiMetrics } from '../metrics.js';
import { readParameter } from '../validate.js';
import { manualPromptOf } from './manual-prompt.js';
import { IDEMPOTENCY_KEY } from './parameters.js';

interface BeginDeps {
  generations: Generations;
  metrics: ApiMetrics;
}

/** Starts what the request asks for, or finds the task that the same request started before. */
export async function beginGeneration(ctx: RouteContext, { generations, metrics }: BeginDeps): Promise<string> {
  const manualPrompt = manualPromptOf(ctx.request.body);
  const idempotencyKey = readParameter(ctx, IDEMPOTENCY_KEY);
  const { owner } = callerOf(ctx);
  const result = await generations.start({ owner, manualPrompt, idempotencyKey, requestId: ctx.state.requestId });
  metrics.starts.inc({ outcome: result.outcome });
  switch (result.outcome) {
    case 'key_reused':
      throw new ApiError('idempotency_key_reused');
    case 'unavailable':
      throw new ApiError('unavailable');
    case 'existing':
      ctx.set('Idempotent-Replayed', 'true');
      break;
    case 'started':
  }
  ctx.state.taskId = result.taskId;
  return result.taskId;
}
