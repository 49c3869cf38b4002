import { GENERATIONS_PATH } from '../../contract/names.js';
import type { Generations } from '../../generations/types.js';
import { ApiError } from '../api-error.js';
import { callerOf } from '../context.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { PAGE_EXAMPLE } from './examples.js';
import { CURSOR, LIMIT, SEARCH, STATUS } from './list-parameters.js';
import { presentPage } from './present-page.js';
import { GenerationPage } from './schemas.js';

/** GET: the caller's generations, newest first. */
export function listGenerations({ generations }: { generations: Generations }): Route {
  return {
    method: 'get',
    path: GENERATIONS_PATH,
    access: 'owner',
    operation,
    async handle(ctx) {
      const cursor = readParameter(ctx, CURSOR);
      const limit = readParameter(ctx, LIMIT);
      const status = readParameter(ctx, STATUS);
      const search = readParameter(ctx, SEARCH);
      const result = await generations.list(callerOf(ctx).owner, { cursor, limit, status, search });
      switch (result.outcome) {
        case 'listed':
          ctx.body = presentPage(result);
          return;
        case 'unknown_cursor':
          throw new ApiError('invalid_request', { detail: 'cursor: not one of this list' });
        case 'unavailable':
          throw new ApiError('unavailable');
      }
    },
  };
}

const operation: Operation = {
  id: 'listGenerations',
  tag: 'Generations',
  summary: 'List your generations',
  parameters: [CURSOR, LIMIT, STATUS, SEARCH],
  answers: {
    200: {
      description: 'A page of generations, newest first, each from its first step on.',
      schema: GenerationPage,
      examples: { page: PAGE_EXAMPLE },
    },
  },
};
