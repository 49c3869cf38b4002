import { isBatchEnded } from '../../contract/batch.js';
import type { Generations } from '../../generations/types.js';
import { ApiError } from '../api-error.js';
import { callerOf, type RouteContext } from '../context.js';
import { BATCH_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { BATCH_EXAMPLES } from './examples.js';
import { presentBatch } from './present-batch.js';
import { BATCH_STATUS_PATH } from './read-batch.js';
import { BatchStatus } from './schemas.js';

/** POST …/cancel/ and DELETE: two ways to cancel what of a batch has not ended. */
export function cancelBatch({ generations }: { generations: Pick<Generations, 'batches'> }): Route[] {
  const handle = async (ctx: RouteContext): Promise<void> => {
    const batchId = readParameter(ctx, BATCH_ID);
    ctx.state.taskId = batchId;
    const result = await generations.batches.cancel(batchId, callerOf(ctx));
    switch (result.outcome) {
      case 'requested':
      case 'nothing_to_do':
        ctx.status = result.outcome === 'requested' ? 202 : 200;
        if (!isBatchEnded(result.status.batch)) ctx.set('Retry-After', '1');
        ctx.body = presentBatch(result.status);
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
      path: `${BATCH_STATUS_PATH}cancel/`,
      access: 'owner',
      operation: operationOf('cancelBatch'),
      handle,
    },
    { method: 'delete', path: BATCH_STATUS_PATH, access: 'owner', operation: operationOf('deleteBatch'), handle },
  ];
}

const operationOf = (id: string): Operation => ({
  id,
  tag: 'Generations',
  summary: 'Cancel a batch',
  parameters: [BATCH_ID],
  answers: {
    200: {
      description: 'It had ended, or was cancelled before: its state as it is.',
      schema: BatchStatus,
      headers: ['Retry-After'],
      examples: { completed: BATCH_EXAMPLES.completed },
    },
    202: {
      description: 'Its items that have not ended are being cancelled; nothing is charged for those. Poll on.',
      schema: BatchStatus,
      headers: ['Retry-After'],
      examples: { processing: BATCH_EXAMPLES.processing },
    },
  },
  errors: ['task_not_found'],
});
