import type { Support } from '../../helpdesk/types.js';
import { ApiError } from '../api-error.js';
import { askLedger } from '../ask-ledger.js';
import { byOf } from '../context.js';
import { EXAMPLE_PROMPT } from '../generations/examples.js';
import { TASK_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { TASK_PATH } from './parameters.js';
import { RevealedTexts, SupportReason } from './schemas.js';

/** POST: the texts of a task; each time is written down. */
export function revealTexts({ support }: { support: Support }): Route {
  return {
    method: 'post',
    path: `${TASK_PATH}reveal/`,
    access: 'support',
    operation,
    async handle(ctx) {
      const taskId = readParameter(ctx, TASK_ID);
      ctx.state.taskId = taskId;
      const { reason } = validate(SupportReason, ctx.request.body);
      const result = await askLedger(support.reveal(taskId, reason, byOf(ctx)));
      if (result.outcome === 'not_found') throw new ApiError('task_not_found');
      ctx.body = { manual_prompt: result.texts.manualPrompt, prompt: result.texts.prompt };
    },
  };
}

const operation: Operation = {
  id: 'revealTexts',
  tag: 'Support',
  summary: 'Read the texts of a task',
  parameters: [TASK_ID],
  body: { schema: SupportReason, example: { reason: 'Ticket 4711: the owner asks what was wrong with the text' } },
  answers: {
    200: {
      description: 'As they are stored. It is written down who read them and why.',
      schema: RevealedTexts,
      examples: { failed: { manual_prompt: EXAMPLE_PROMPT, prompt: null } },
    },
  },
  errors: ['invalid_request', 'task_not_found'],
};
