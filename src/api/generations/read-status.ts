import { statusPath } from '../../contract/names.js';
import type { Generations } from '../../generations/types.js';
import { callerOf } from '../context.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { answerStatus, readAsked, STATUS_ANSWERS, STATUS_PARAMETERS } from './answer-status.js';
import { STATUS_EXAMPLES } from './examples.js';
import { followTask } from './followed.js';
import { TASK_ID } from './parameters.js';
import { GenerationStatus } from './schemas.js';
import { TEXT } from './status-parameters.js';

export const STATUS_PATH = statusPath('{task_id}');

interface StatusDeps {
  generations: Pick<Generations, 'status' | 'subscribe' | 'textOf'>;
  /** Aborted when this process is about to stop: whoever waits is answered, and comes back to another one. */
  leaving: AbortSignal;
}

/** GET: the state of a task: at once, when it has changed, or as a stream of its changes. */
export function readStatus({ generations, leaving }: StatusDeps): Route {
  return {
    method: 'get',
    path: STATUS_PATH,
    access: 'task',
    operation,
    quiet: true,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      const asked = { ...readAsked(ctx), withText: readParameter(ctx, TEXT) === 'true' };
      ctx.state.taskId = taskId;
      await answerStatus(ctx, followTask(generations, taskId, callerOf(ctx)), asked, leaving);
    },
  };
}

const operation: Operation = {
  id: 'readGenerationStatus',
  tag: 'Generations',
  summary: 'Read the state of a task',
  parameters: [TASK_ID, ...STATUS_PARAMETERS, TEXT],
  answers: {
    ...STATUS_ANSWERS,
    200: {
      ...STATUS_ANSWERS[200],
      description:
        'The task is known, whatever its state. With `Accept: text/event-stream`: its changes as server-sent events up to its end, `status` with this body and the tag as the id, and `text` with `{attempt, offset, text}`.',
      schema: GenerationStatus,
      examples: STATUS_EXAMPLES,
    },
  },
  errors: ['task_not_found'],
};
