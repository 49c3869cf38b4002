import type { Support } from '../../helpdesk/types.js';
import { ApiError } from '../api-error.js';
import { byOf } from '../context.js';
import { EXAMPLE_TASK_ID } from '../generations/examples.js';
import { TASK_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { askSupport } from './ask-support.js';
import { TASK_PATH } from './parameters.js';
import { ExportedHistory, SupportReason } from './schemas.js';

/** POST: the history of a task's latest run, to be replayed; each time is written down. */
export function exportHistory({ support }: { support: Support }): Route {
  return {
    method: 'post',
    path: `${TASK_PATH}history/`,
    access: 'support',
    operation,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const { reason } = validate(SupportReason, ctx.request.body);
      const result = await askSupport(support.exportHistory(taskId, reason, byOf(ctx)));
      switch (result.outcome) {
        case 'exported':
          ctx.body = { task_id: taskId, history: result.history };
          return;
        case 'not_found':
        case 'forgotten':
          throw new ApiError('task_not_found');
        case 'unavailable':
          throw new ApiError('unavailable');
      }
    },
  };
}

const operation: Operation = {
  id: 'exportHistory',
  tag: 'Support',
  summary: "Export the history of a task's latest run",
  parameters: [TASK_ID],
  body: { schema: SupportReason, example: { reason: 'Ticket 4711: does it replay with the new code?' } },
  answers: {
    200: {
      description:
        "In the JSON of Temporal's tools. Payloads are as Temporal stores them: encrypted where the service has keys, else with texts.",
      schema: ExportedHistory,
      examples: {
        exported: {
          task_id: EXAMPLE_TASK_ID,
          history: { events: [{ eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED' }] },
        },
      },
    },
  },
  errors: ['invalid_request', 'task_not_found'],
};
