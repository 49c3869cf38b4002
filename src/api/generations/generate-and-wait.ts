import { WORKFLOW_TIMEOUT_MS } from '../../contract/limits.js';
import { GENERATE_PATH } from '../../contract/names.js';
import type { WaitResult } from '../../generations/types.js';
import { callerOf } from '../context.js';
import { gone } from '../gone.js';
import type { Operation, Route } from '../route.js';
import { beginGeneration, type BeginDeps } from './begin-generation.js';
import { EXAMPLE_PROMPT, GENERATED_EXAMPLE } from './examples.js';
import { IDEMPOTENCY_KEY } from './parameters.js';
import { presentGenerated, failedError, stillRunningError } from './present-generated.js';
import { GeneratedPrompt, GenerateRequest } from './schemas.js';
import { LIMIT_HEADERS } from './start-limits.js';
import type { TaskCookies } from './task-cookie.js';
import { untilStopping } from './until-stopping.js';

/** As nginx counts it: nobody is there to be answered, and nothing has failed. */
const CLIENT_CLOSED = 499;

interface WaitDeps extends BeginDeps {
  cookies: TaskCookies;
  /** Aborted when the service stops. */
  stopping: AbortSignal;
}

/** POST of old: the same job, waited for. A client that hangs up leaves it running. */
export function generateAndWait(deps: WaitDeps): Route {
  return {
    method: 'post',
    path: GENERATE_PATH,
    access: 'owner',
    operation,
    async handle(ctx) {
      const deadline = performance.now() + WORKFLOW_TIMEOUT_MS;
      const caller = callerOf(ctx);
      const { taskId, reused } = await beginGeneration(ctx, deps);
      const hungUp = gone(ctx);
      const ending = deps.generations.waitForEnd(taskId, caller, deadline - performance.now(), hungUp);
      const result = await untilStopping<WaitResult>(ending, deps.stopping, { outcome: 'still_running' });
      if (hungUp.aborted) {
        ctx.status = CLIENT_CLOSED;
        return;
      }
      if (result.outcome !== 'ended') {
        // It was started, so whatever keeps its end from us, polling is the way to it.
        await deps.cookies.issue(ctx, { taskId, owner: caller.owner });
        throw stillRunningError(taskId);
      }
      const { snapshot } = result;
      if (snapshot.status === 'failed') throw failedError(snapshot);
      ctx.body = { ...presentGenerated(snapshot), ...reused };
    },
  };
}

const operation: Operation = {
  id: 'generatePrompt',
  tag: 'Generations',
  summary: 'Generate a prompt and wait for it (old)',
  parameters: [IDEMPOTENCY_KEY],
  body: { schema: GenerateRequest, example: { manual_prompt: EXAMPLE_PROMPT } },
  answers: {
    200: {
      description: 'The prompt; after up to 110 s.',
      schema: GeneratedPrompt,
      headers: ['Idempotent-Replayed', ...LIMIT_HEADERS],
      examples: { generated: GENERATED_EXAMPLE },
    },
  },
  errorHeaders: LIMIT_HEADERS,
  errors: [
    'manual_prompt_required',
    'manual_prompt_too_long',
    'invalid_request',
    'idempotency_key_reused',
    'insufficient_tokens',
    'no_tokens_remaining',
    'no_subscription',
    'subscription_expired',
    'subscription_deactivated',
    'cancelled',
    'timed_out',
    'still_running',
    'rate_limited',
    'overloaded',
    'unavailable',
  ],
};
