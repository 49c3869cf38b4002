import type { Support } from '../../helpdesk/types.js';
import { CURSOR, LIMIT } from '../accounts/parameters.js';
import { ApiError } from '../api-error.js';
import { askLedger } from '../ask-ledger.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { TASK_EXAMPLE } from './examples.js';
import { FIND_CODE, FIND_FROM, FIND_ID, FIND_OWNER, FIND_STATE, FIND_TEXT, FIND_TO, TASKS_PATH } from './parameters.js';
import { presentTask } from './present.js';
import { SupportTaskPage } from './schemas.js';

/** GET: finds tasks of all owners, without their texts. */
export function findTasks({ support }: { support: Support }): Route {
  return {
    method: 'get',
    path: TASKS_PATH,
    access: 'support',
    operation,
    async handle(ctx) {
      const [from, to] = [readParameter(ctx, FIND_FROM), readParameter(ctx, FIND_TO)];
      const page = await askLedger(
        support.find({
          cursor: readParameter(ctx, CURSOR),
          limit: readParameter(ctx, LIMIT),
          taskId: readParameter(ctx, FIND_ID),
          owner: readParameter(ctx, FIND_OWNER),
          state: readParameter(ctx, FIND_STATE),
          code: readParameter(ctx, FIND_CODE),
          ...(from === undefined ? {} : { from: new Date(from) }),
          ...(to === undefined ? {} : { to: new Date(to) }),
          text: readParameter(ctx, FIND_TEXT),
        }),
      );
      if (!page) throw new ApiError('invalid_request', { detail: 'cursor: not one of this list' });
      ctx.body = { tasks: page.tasks.map(presentTask), next_cursor: page.nextCursor };
    },
  };
}

const operation: Operation = {
  id: 'findTasks',
  tag: 'Support',
  summary: 'Find tasks of all owners',
  parameters: [CURSOR, LIMIT, FIND_ID, FIND_OWNER, FIND_STATE, FIND_CODE, FIND_FROM, FIND_TO, FIND_TEXT],
  answers: {
    200: {
      description: 'A page of tasks, newest first, each from its first step on.',
      schema: SupportTaskPage,
      examples: { page: { tasks: [TASK_EXAMPLE], next_cursor: null } },
    },
  },
};
