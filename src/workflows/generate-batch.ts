import {
  CancellationScope,
  CancelledFailure,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { itemTaskId, WORKFLOW_TYPE, type GenerateBatchInput } from '../contract/names.js';
import { attributePairs, firstAttributes } from '../contract/search-attributes.js';
import { startClock, type Clock } from './clock.js';
import { batchDetails, type BatchTally } from './current-details.js';
import type { generatePrompt } from './generate-prompt.js';

type Item = ChildWorkflowHandle<typeof generatePrompt>;

/** A run that has little time left begins all the same: it ends its task in the ledger. */
const LEAST_MS = 1_000;

/**
 * A batch: starts all of its items, each a run like that of a single generation, and ends after the last of them. It holds no
 * truth of its own: how far the batch is, its items say.
 */
export async function generateBatch(input: GenerateBatchInput): Promise<BatchTally> {
  const clock = startClock(input.waitedMs);
  const tally: BatchTally = { total: input.manualPrompts.length, completed: 0, failed: 0 };
  const show = (): void => {
    setCurrentDetails(batchDetails(input.batchId, tally));
  };
  show();

  // All are started whatever is cancelled meanwhile: then each ends in the ledger by its own run.
  const items = await CancellationScope.nonCancellable(() => startAll(input, clock));
  const ended = Promise.all(
    items.map(async (item) => {
      if (await isCompleted(item)) tally.completed += 1;
      else tally.failed += 1;
      show();
    }),
  );
  try {
    await Promise.race([ended, CancellationScope.current().cancelRequested]);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      await Promise.all(items.map(cancel));
      await ended;
    });
    if (tally.failed > 0) throw new CancelledFailure('The batch was cancelled');
  }
  return tally;
}

/** One that can't be started has run before: an operator reset the run of the batch. It is null. */
function startAll(input: GenerateBatchInput, clock: Clock): Promise<(Item | null)[]> {
  const { batchId, owner, manualPrompts, createdAt, memo, summary, details } = input;
  const { typedSearchAttributes } = workflowInfo();
  // Where the batch was started without any, the namespace does not have them.
  const attributes = typedSearchAttributes.getAll().length === 0 ? {} : firstAttributes(owner);
  const waitedMs = clock();
  return Promise.all(
    manualPrompts.map(async (manualPrompt, index) => {
      try {
        return await startChild<typeof generatePrompt>(WORKFLOW_TYPE, {
          workflowId: itemTaskId(batchId, index),
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          args: [{ owner, manualPrompt, batch: { createdAt, waitedMs } }],
          workflowExecutionTimeout: Math.max(LEAST_MS, WORKFLOW_TIMEOUT_MS - waitedMs),
          // Whatever ends the batch, each item settles its money itself.
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          memo: { ...memo },
          staticSummary: `${summary} (${index + 1} of ${manualPrompts.length})`,
          staticDetails: details,
          typedSearchAttributes: attributePairs(attributes),
        });
      } catch (error) {
        log.warn('an item of the batch was not started', { index, error });
        return null;
      }
    }),
  );
}

async function isCompleted(item: Item | null): Promise<boolean> {
  try {
    return (await item?.result())?.status === 'completed';
  } catch (error) {
    // Cancelled, failed, timed out: the ledger says how.
    log.debug('an item of the batch ended without a result', { error });
    return false;
  }
}

async function cancel(item: Item | null): Promise<void> {
  if (!item) return;
  try {
    await getExternalWorkflowHandle(item.workflowId).cancel();
  } catch (error) {
    log.debug('an item of the batch had ended before it was cancelled', { error });
  }
}
