import { batchStatusPath } from '../../contract/names.js';
import type { Generations } from '../../generations/types.js';
import { callerOf } from '../context.js';
import { answerStatus, readAsked, STATUS_ANSWERS, STATUS_PARAMETERS } from '../generations/answer-status.js';
import { BATCH_ID } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { BATCH_EXAMPLES } from './examples.js';
import { followBatch } from './present-batch.js';
import { BatchStatus } from './schemas.js';

export const BATCH_STATUS_PATH = batchStatusPath('{batch_id}');

interface ReadDeps {
  generations: Pick<Generations, 'batches'>;
  /** As for a task. */
  leaving: AbortSignal;
}

/** GET: the state of a batch: at once, when it has changed, or as a stream of its changes. */
export function readBatch({ generations, leaving }: ReadDeps): Route {
  return {
    method: 'get',
    path: BATCH_STATUS_PATH,
    access: 'task',
    operation,
    quiet: true,
    async handle(ctx) {
      const batchId = readParameter(ctx, BATCH_ID);
      const asked = readAsked(ctx);
      ctx.state.taskId = batchId;
      await answerStatus(ctx, followBatch(generations.batches, batchId, callerOf(ctx)), asked, leaving);
    },
  };
}

const operation: Operation = {
  id: 'readBatchStatus',
  tag: 'Generations',
  summary: 'Read the state of a batch',
  parameters: [BATCH_ID, ...STATUS_PARAMETERS],
  answers: {
    ...STATUS_ANSWERS,
    200: {
      ...STATUS_ANSWERS[200],
      description:
        'The batch is known, whatever its state. With `Accept: text/event-stream`: its changes as server-sent events up to its end, `status` with this body and the tag as the id.',
      schema: BatchStatus,
      examples: BATCH_EXAMPLES,
    },
  },
  errors: ['task_not_found'],
};
