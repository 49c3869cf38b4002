import { WorkflowNotFoundError } from '@temporalio/client';
import { isBatchEnded } from '../contract/batch.js';
import { BATCH_MAX_ITEMS, batchRunId, itemTaskId } from '../contract/names.js';
import { createBatchStatus } from './batch-status.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import type { Overload } from './overload.js';
import { createStartBatch } from './start-batch.js';
import type { createStatus } from './status.js';
import type { Batches, Generations } from './types.js';

type Tasks = Pick<ReturnType<typeof createStatus>, 'status' | 'started' | 'live'>;

/** The part of the door to Temporal that is about batches; `tasks` tells of their items. */
export function createBatches(
  deps: GenerationsDeps & Pick<Generations, 'now'>,
  { status: taskStatus, started, live }: Tasks,
  overload: Overload,
): Batches & { forget: (owner: string) => void } {
  const { client, log } = deps;
  const { status, forget } = createBatchStatus({ ...deps, status: taskStatus });
  const startBatch = createStartBatch(deps, overload);

  return {
    status,
    forget,
    subscribe: subscribeBy(live.subscribe),

    async start(request) {
      const before = live.epoch();
      const result = await startBatch(request);
      if (result.outcome === 'started') {
        for (const taskId of itemsOf(result.taskId, request.manualPrompts.length))
          started(taskId, request.owner, before);
      }
      return result;
    },

    async cancel(batchId, caller) {
      const before = await status(batchId, caller);
      if (before.outcome !== 'found') return before;
      if (isBatchEnded(before.batch)) return { outcome: 'nothing_to_do', status: before };
      const handle = client.workflow.getHandle(batchRunId(batchId));
      try {
        const { raw } = await within(client, DEADLINE_MS.read, () => handle.describe());
        if (raw.workflowExtendedInfo?.cancelRequested) return { outcome: 'nothing_to_do', status: before };
        await within(client, DEADLINE_MS.cancel, () => handle.cancel());
      } catch (error) {
        // It ended in this very moment, or an operator terminated it: then its items are being cancelled.
        if (!(error instanceof WorkflowNotFoundError)) {
          log.error({ err: error, batch_id: batchId }, 'a batch could not be cancelled');
          return { outcome: 'unavailable' };
        }
      }
      const after = await status(batchId, caller);
      return { outcome: 'requested', status: after.outcome === 'found' ? after : before };
    },
  };
}

const itemsOf = (batchId: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => itemTaskId(batchId, index));

/** Hears of a batch what is heard of its items; how many it has, it need not know. */
export const subscribeBy =
  (subscribe: Generations['subscribe']): Batches['subscribe'] =>
  (batchId, onChange) => {
    const stops = itemsOf(batchId, BATCH_MAX_ITEMS).map((taskId) => subscribe(taskId, onChange));
    return () => {
      for (const stop of stops) stop();
    };
  };
