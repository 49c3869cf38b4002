import { BATCH_BODY_MAX_BYTES } from '../../contract/limits.js';
import { batchStatusPath, GENERATE_BATCH_PATH } from '../../contract/names.js';
import { callerOf } from '../context.js';
import { beginBatch, type BeginDeps } from '../generations/begin-generation.js';
import { IDEMPOTENCY_KEY } from '../generations/parameters.js';
import { LIMIT_HEADERS } from '../generations/start-limits.js';
import type { TaskCookies } from '../generations/task-cookie.js';
import type { Operation, Route } from '../route.js';
import { BATCH_PROMPTS, STARTED_EXAMPLE } from './examples.js';
import { presentStarted } from './present-batch.js';
import { BatchRequest, StartedBatch } from './schemas.js';

interface StartDeps extends BeginDeps {
  cookies: TaskCookies;
}

/** POST: starts a batch of generations and says where to poll it, and each of them. */
export function startBatch(deps: StartDeps): Route {
  return {
    method: 'post',
    path: GENERATE_BATCH_PATH,
    access: 'owner',
    operation,
    async handle(ctx) {
      const { batchId, items } = await beginBatch(ctx, deps);
      const path = batchStatusPath(batchId);
      await deps.cookies.issue(ctx, { taskId: batchId, owner: callerOf(ctx).owner, path });
      ctx.status = 202;
      ctx.set({ Location: path, 'Retry-After': '1' });
      ctx.body = presentStarted(batchId, items);
    },
  };
}

const operation: Operation = {
  id: 'startBatch',
  tag: 'Generations',
  summary: 'Start generating many prompts',
  parameters: [IDEMPOTENCY_KEY],
  body: { schema: BatchRequest, example: { manual_prompts: BATCH_PROMPTS }, maxBytes: BATCH_BODY_MAX_BYTES },
  answers: {
    202: {
      description: 'Started, or started before by the same request.',
      schema: StartedBatch,
      headers: ['Location', 'Retry-After', 'Set-Cookie', 'Idempotent-Replayed', ...LIMIT_HEADERS],
      examples: { started: STARTED_EXAMPLE },
    },
  },
  errorHeaders: LIMIT_HEADERS,
  errors: [
    'prompts_required',
    'manual_prompt_required',
    'manual_prompt_too_long',
    'too_many_prompts',
    'idempotency_key_reused',
    'rate_limited',
    'overloaded',
    'unavailable',
  ],
};
