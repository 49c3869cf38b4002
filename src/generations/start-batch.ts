import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { BATCH_TIMEOUT_MS, WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { BATCH_WORKFLOW_TYPE, batchRunId, itemTaskId, type GenerateBatchInput } from '../contract/names.js';
import { attributePairs } from '../contract/search-attributes.js';
import { withDeadline } from '../with-deadline.js';
import { createAdmissions } from './admissions.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { priorityOf } from './fairness.js';
import { NO_MORE, type Overload } from './overload.js';
import { createRevoke } from './revoke.js';
import { batchSummaryFor, detailsFor, itemSummaryFor } from './start-texts.js';
import { newBatchId, requestHash } from './task-id.js';
import type { Batches, Generations } from './types.js';
import { createWithAttributes } from './with-attributes.js';

/**
 * Starts a batch: its rows are stored in one transaction with its admission, so that none of its items is ever unknown; then
 * Temporal starts its run. So it starts only while the ledger is there.
 */
export function createStartBatch(
  deps: GenerationsDeps & Pick<Generations, 'now'>,
  overload: Overload,
): Batches['start'] {
  const { client, ledger, log, taskQueue, assignKey, limits, now } = deps;
  const { admitBatch } = createAdmissions(deps);
  const withAttributes = createWithAttributes(log);
  const revoke = createRevoke(deps);

  return async ({ owner, manualPrompts, idempotencyKey, requestId }) => {
    const batchId = newBatchId(owner, idempotencyKey);
    const hash = requestHash(...manualPrompts);
    const items = manualPrompts.map((manualPrompt, index) => ({ taskId: itemTaskId(batchId, index), manualPrompt }));
    const overloaded = overload.refuses(owner, items.length);
    // Without a key there is nothing that it may have started before.
    if (overloaded && idempotencyKey === undefined) return overload.refusal(owner);
    const request = { batchId, owner, requestHash: hash, items, limits: overloaded ? NO_MORE : limits };
    const admission = await admitBatch(request);
    if (!overloaded && admission?.outcome !== 'admitted') overload.giveBack(items.length);
    if (!admission) return { outcome: 'unavailable' };
    if (overloaded && admission.outcome === 'limited') return overload.refusal(owner);
    if (!('createdAt' in admission)) return admission;
    const { quota, begun, createdAt } = admission;
    const outcome = admission.outcome === 'existing' ? 'existing' : 'started';
    // Sent again, it may be that the first start came to nothing. Its time began with the first one.
    const waitedMs = outcome === 'existing' ? Math.max(0, now() - createdAt.getTime()) : 0;
    if (begun || waitedMs >= WORKFLOW_TIMEOUT_MS) return { outcome, taskId: batchId, quota };
    try {
      await startRun({
        batchId,
        owner,
        manualPrompts,
        createdAt: createdAt.toISOString(),
        waitedMs,
        memo: { owner, request_hash: hash, request_id: requestId },
        summary: itemSummaryFor(owner),
        details: detailsFor({ keyed: false, requestId }),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        log.error({ err: error, batch_id: batchId }, 'a batch could not be started');
        // A caller with a key asks again and gets this very batch; of one without nobody shall hear.
        if (idempotencyKey === undefined) {
          takeBack({ batchId, owner, taskIds: items.map(({ taskId }) => taskId) });
        }
        return { outcome: 'unavailable', quota };
      }
    }
    return { outcome, taskId: batchId, quota };
  };

  /** Throws WorkflowExecutionAlreadyStartedError where the same request has started it before, or just now. */
  async function startRun(input: GenerateBatchInput): Promise<void> {
    const { batchId, owner, manualPrompts, memo } = input;
    const workflowId = batchRunId(batchId);
    const giveUpAt = performance.now() + DEADLINE_MS.start;
    await withDeadline(assignKey(workflowId, owner), DEADLINE_MS.key);
    await within(client, giveUpAt - performance.now(), () =>
      withAttributes(workflowId, { owner }, (attributes) =>
        client.workflow.start(BATCH_WORKFLOW_TYPE, {
          workflowId,
          taskQueue,
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowExecutionTimeout: BATCH_TIMEOUT_MS,
          priority: priorityOf(owner),
          memo: { ...memo },
          staticSummary: batchSummaryFor(owner, manualPrompts.length),
          typedSearchAttributes: attributePairs(attributes),
        }),
      ),
    );
  }

  /** In the background. Where it can't be, its items end by themselves when their time is over. */
  function takeBack({ batchId, ...tasks }: { batchId: string; owner: string; taskIds: string[] }): void {
    void revoke({ workflowId: batchRunId(batchId), ...tasks });
    withDeadline(ledger.withdrawBatch(batchId), DEADLINE_MS.ledger).catch((error: unknown) => {
      log.warn({ err: error, batch_id: batchId }, 'a batch that came to nothing could not be taken back');
    });
  }
}
