import type { Support } from '../../helpdesk/types.js';
import { ApiError } from '../api-error.js';
import { TASK_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { askSupport } from './ask-support.js';
import { REPORT_EXAMPLE } from './examples.js';
import { TASK_PATH } from './parameters.js';
import { presentReport } from './present.js';
import { SupportTaskReport } from './schemas.js';

interface ShowDeps {
  support: Support;
  page: { temporalRunsUrl?: string };
}

/** GET: one task with all that is known of it, but its texts. */
export function showTask({ support, page }: ShowDeps): Route {
  return {
    method: 'get',
    path: TASK_PATH,
    access: 'support',
    operation,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const result = await askSupport(support.show(taskId));
      switch (result.outcome) {
        case 'found':
          ctx.body = presentReport(result.task, page.temporalRunsUrl);
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
  id: 'showTask',
  tag: 'Support',
  summary: 'Show a task of any owner',
  parameters: [TASK_ID],
  answers: {
    200: {
      description: 'Its state, timeline and money; its texts are not in it.',
      schema: SupportTaskReport,
      examples: { failed: REPORT_EXAMPLE },
    },
  },
  errors: ['task_not_found'],
};
