import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { isBatchEnded } from '../../contract/batch.js';
import { batchStatusPath, itemTaskId, statusPath } from '../../contract/names.js';
import type { Batches, Caller, FoundBatch } from '../../generations/types.js';
import type { Followed } from '../generations/followed.js';
import type { BatchStatus, StartedBatch } from './schemas.js';

/** A hundred items change some hundred times: readers hear of what comes within this time together. In ms. */
const REST_MS = 250;

/** The answer to the start of a batch. */
export const presentStarted = (batchId: string, items: number): z.infer<typeof StartedBatch> => ({
  success: true,
  batch_id: batchId,
  status: 'queued',
  message: 'Batch started. Use batch_id to check status.',
  status_url: batchStatusPath(batchId),
  items: Array.from({ length: items }, (_, index) => {
    const taskId = itemTaskId(batchId, index);
    return { index, task_id: taskId, status_url: statusPath(taskId) };
  }),
});

/** A batch as clients see it. */
export function presentBatch({ batch, staleAsOf }: FoundBatch): z.infer<typeof BatchStatus> {
  const { owner, items, ...body } = batch;
  return {
    ...body,
    items: items.map((item, index) => ({ index, ...item, status_url: statusPath(item.task_id) })),
    ...(staleAsOf === undefined ? {} : { stale: true, as_of: staleAsOf }),
  };
}

/** A batch, whose state can be read in all the ways of a task's. */
export const followBatch = (batches: Batches, batchId: string, caller: Caller): Followed<FoundBatch> => ({
  read: () => batches.status(batchId, caller),
  subscribe: (onChange) => batches.subscribe(batchId, onChange),
  isEnded: ({ batch }) => isBatchEnded(batch),
  tagOf: (found) => createHash('sha256').update(JSON.stringify(found)).digest('base64url').slice(0, 16),
  toJson: (found) => JSON.stringify(presentBatch(found)),
  restMs: REST_MS,
});
