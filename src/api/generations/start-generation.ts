import type { z } from 'zod';
import { GENERATE_ASYNC_PATH, statusPath } from '../../contract/names.js';
import { callerOf } from '../context.js';
import type { Operation, Route } from '../route.js';
import { beginGeneration, type Begun, type BeginDeps } from './begin-generation.js';
import { EXAMPLE_PROMPT, EXAMPLE_TASK_ID } from './examples.js';
import { IDEMPOTENCY_KEY } from './parameters.js';
import { GenerateRequest, StartedGeneration } from './schemas.js';
import { LIMIT_HEADERS } from './start-limits.js';
import type { TaskCookies } from './task-cookie.js';

interface StartDeps extends BeginDeps {
  cookies: TaskCookies;
}

/** POST: starts a generation and says where to poll it. */
export function startGeneration(deps: StartDeps): Route {
  return {
    method: 'post',
    path: GENERATE_ASYNC_PATH,
    access: 'owner',
    operation,
    async handle(ctx) {
      const begun = await beginGeneration(ctx, deps);
      const { taskId } = begun;
      await deps.cookies.issue(ctx, { taskId, owner: callerOf(ctx).owner });
      ctx.status = 202;
      ctx.set({ Location: statusPath(taskId), 'Retry-After': '1' });
      ctx.body = present(begun);
    },
  };
}

const present = ({ taskId, reused }: Begun): z.infer<typeof StartedGeneration> => ({
  success: true,
  task_id: taskId,
  status: 'queued',
  message: 'Prompt generation started. Use task_id to check status.',
  status_url: statusPath(taskId),
  ...reused,
});

const operation: Operation = {
  id: 'startGeneration',
  tag: 'Generations',
  summary: 'Start generating a prompt',
  parameters: [IDEMPOTENCY_KEY],
  body: { schema: GenerateRequest, example: { manual_prompt: EXAMPLE_PROMPT } },
  answers: {
    202: {
      description: 'Started, or started before by the same request, or with `reuse` by an equal one.',
      schema: StartedGeneration,
      headers: ['Location', 'Retry-After', 'Set-Cookie', 'Idempotent-Replayed', ...LIMIT_HEADERS],
      examples: { started: present({ taskId: EXAMPLE_TASK_ID, reused: {} }) },
    },
  },
  errorHeaders: LIMIT_HEADERS,
  errors: [
    'manual_prompt_required',
    'manual_prompt_too_long',
    'invalid_request',
    'idempotency_key_reused',
    'rate_limited',
    'overloaded',
    'unavailable',
  ],
};
