import type { Generations } from '../../generations/types.js';
import { callerOf, type RouteContext } from '../context.js';
import { ApiError } from '../api-error.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { STATUS_EXAMPLES } from './examples.js';
import { TASK_ID } from './parameters.js';
import { sendStatus } from './present-status.js';
import { STATUS_PATH } from './read-status.js';
import { GenerationStatus } from './schemas.js';

/** POST …/cancel/ and DELETE: two ways to cancel a task. */
export function cancelGeneration({ generations }: { generations: Generations }): Route[] {
  const handle = async (ctx: RouteContext): Promise<void> => {
    const taskId = readParameter(ctx, TASK_ID);
    ctx.state.taskId = taskId;
    const result = await generations.cancel(taskId, callerOf(ctx));
    switch (result.outcome) {
      case 'requested':
      case 'nothing_to_do':
        ctx.status = result.outcome === 'requested' ? 202 : 200;
        sendStatus(ctx, result.status);
        return;
      case 'not_found':
        throw new ApiError('task_not_found');
      case 'unavailable':
        throw new ApiError('unavailable');
    }
  };
  return [
    {
      method: 'post',
      path: `${STATUS_PATH}cancel/`,
      access: 'owner',
      operation: operationOf('cancelGeneration'),
      handle,
    },
    { method: 'delete', path: STATUS_PATH, access: 'owner', operation: operationOf('deleteGeneration'), handle },
  ];
}

const operationOf = (id: string): Operation => ({
  id,
  tag: 'Generations',
  summary: 'Cancel a task',
  parameters: [TASK_ID],
  answers: {
    200: {
      description: 'It had ended, or was cancelled before: its state as it is.',
      schema: GenerationStatus,
      headers: ['Retry-After'],
      examples: { cancelled: STATUS_EXAMPLES.cancelled },
    },
    202: {
      description: 'It is being cancelled; nothing is charged. Poll on until it reads `failed`.',
      schema: GenerationStatus,
      headers: ['Retry-After'],
      examples: { processing: STATUS_EXAMPLES.processing },
    },
  },
  errors: ['task_not_found'],
});
