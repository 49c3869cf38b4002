import type { Support } from '../../helpdesk/types.js';
import { ApiError } from '../api-error.js';
import { byOf } from '../context.js';
import { EXAMPLE_TASK_ID } from '../generations/examples.js';
import { TASK_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { askSupport } from './ask-support.js';
import { TASK_PATH } from './parameters.js';
import { stateOf } from './present.js';
import { SupportCancel, SupportReason } from './schemas.js';

/** POST: cancels a task for its owner. */
export function cancelTask({ support }: { support: Support }): Route {
  return {
    method: 'post',
    path: `${TASK_PATH}cancel/`,
    access: 'support',
    operation,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const { reason } = validate(SupportReason, ctx.request.body);
      const result = await askSupport(support.cancel(taskId, reason, byOf(ctx)));
      switch (result.outcome) {
        case 'requested':
        case 'nothing_to_do':
          ctx.status = result.outcome === 'requested' ? 202 : 200;
          ctx.body = { task_id: taskId, outcome: result.outcome, state: stateOf(result.status.snapshot) };
          return;
        case 'not_found':
          throw new ApiError('task_not_found');
        case 'unavailable':
          throw new ApiError('unavailable');
      }
    },
  };
}

const example = { task_id: EXAMPLE_TASK_ID, outcome: 'requested', state: 'processing' };

const operation: Operation = {
  id: 'cancelTask',
  tag: 'Support',
  summary: 'Cancel a task of any owner',
  parameters: [TASK_ID],
  body: { schema: SupportReason, example: { reason: 'Ticket 4711: started by mistake' } },
  answers: {
    200: {
      description: 'It had ended, or was cancelled before.',
      schema: SupportCancel,
      examples: { ended: { ...example, outcome: 'nothing_to_do', state: 'completed' } },
    },
    202: {
      description: 'It is being cancelled; nothing is charged.',
      schema: SupportCancel,
      examples: { requested: example },
    },
  },
  errors: ['invalid_request', 'task_not_found'],
};
