import { statusPath } from '../../contract/names.js';
import type { Generations } from '../../generations/types.js';
import { callerOf } from '../context.js';
import { ApiError } from '../api-error.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { STATUS_EXAMPLES } from './examples.js';
import { TASK_ID } from './parameters.js';
import { sendStatus } from './present-status.js';
import { GenerationStatus } from './schemas.js';

export const STATUS_PATH = statusPath('{task_id}');

/** GET: the state of a task, to be polled once a second. */
export function readStatus({ generations }: { generations: Generations }): Route {
  return {
    method: 'get',
    path: STATUS_PATH,
    access: 'task',
    operation,
    quiet: true,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const result = await generations.status(taskId, callerOf(ctx));
      switch (result.outcome) {
        case 'found':
          sendStatus(ctx, result);
          return;
        case 'not_found':
          throw new ApiError('task_not_found');
        case 'unavailable':
          throw new ApiError('unavailable');
      }
    },
  };
}

const operation: Operation = {
  id: 'readGenerationStatus',
  tag: 'Generations',
  summary: 'Read the state of a task',
  parameters: [TASK_ID],
  answers: {
    200: {
      description: 'The task is known, whatever its state.',
      schema: GenerationStatus,
      headers: ['Retry-After'],
      examples: STATUS_EXAMPLES,
    },
  },
  errors: ['task_not_found'],
};
