import type { z } from 'zod';
import type { RetryPlan } from '../../helpdesk/retry-types.js';
import type { Support } from '../../helpdesk/types.js';
import { ApiError } from '../api-error.js';
import { byOf } from '../context.js';
import { EXAMPLE_TASK_ID } from '../generations/examples.js';
import { IDEMPOTENCY_KEY, TASK_ID } from '../generations/parameters.js';
import type { Operation, Parameter, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { askSupport } from './ask-support.js';
import { TASK_PATH } from './parameters.js';
import { SupportRetry, SupportRetryRequest } from './schemas.js';

/** POST: lets a failed or fallback task run again, or says what that would do. */
export function retryTask({ support }: { support: Support }): Route {
  return {
    method: 'post',
    path: `${TASK_PATH}retry/`,
    access: 'support',
    operation,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const body = validate(SupportRetryRequest, ctx.request.body);
      const { reason, charge, dry_run: dryRun, as, from = 'start' } = body;
      const manualPrompt = 'manual_prompt' in body ? body.manual_prompt : undefined;
      const key = readParameter(ctx, KEY);
      const request = { reason, charge, dryRun, as, from, manualPrompt, key };
      const result = await askSupport(support.retry(taskId, request, byOf(ctx)));
      switch (result.outcome) {
        case 'planned':
        case 'retrying':
          ctx.status = result.outcome === 'retrying' ? 202 : 200;
          ctx.body = present(result.plan, result.outcome === 'retrying');
          return;
        case 'not_found':
          throw new ApiError('task_not_found');
        case 'not_retryable':
          throw new ApiError('not_retryable', { detail: result.why });
        case 'unavailable':
          throw new ApiError('unavailable');
      }
    },
  };
}

const KEY = {
  ...IDEMPOTENCY_KEY,
  description: 'With `as: new`: the same key again lets no second task run.',
} satisfies Parameter;

const present = (plan: RetryPlan, retrying: boolean): z.infer<typeof SupportRetry> => ({
  task_id: plan.taskId,
  retrying,
  from: plan.from,
  step: plan.step,
  asks_model: plan.asksModel,
  charge: plan.charge,
  may_charge: plan.mayCharge,
  may_cost: plan.mayCost,
  available: plan.available,
});

const example: RetryPlan = {
  taskId: EXAMPLE_TASK_ID,
  from: 'failed_step',
  step: 'finalize',
  asksModel: false,
  charge: 'none',
  mayCharge: 0,
  mayCost: 0,
  available: 9_400,
};

const operation: Operation = {
  id: 'retryTask',
  tag: 'Support',
  summary: 'Let a task of any owner run again',
  parameters: [TASK_ID, KEY],
  body: {
    schema: SupportRetryRequest,
    example: { reason: 'Ticket 4711', charge: 'none', from: 'failed_step', dry_run: true },
  },
  answers: {
    200: {
      description: 'Of a dry run: what would be done, and what it may cost.',
      schema: SupportRetry,
      examples: { planned: present(example, false) },
    },
    202: { description: 'It runs.', schema: SupportRetry, examples: { retrying: present(example, true) } },
  },
  errors: ['invalid_request', 'task_not_found', 'not_retryable'],
};
