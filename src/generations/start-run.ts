import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { WORKFLOW_TYPE, type GeneratePromptInput, type GenerationMemo } from '../contract/names.js';
import { attributePairs, firstAttributes, type SearchAttributeValues } from '../contract/search-attributes.js';
import type { GenerationsDeps } from './deps.js';
import { priorityOf } from './fairness.js';
import { detailsFor, summaryFor } from './start-texts.js';
import { isRefused } from './temporal-outage.js';

/** So long a namespace that refused search attributes is not asked again: somebody may register them meanwhile. */
const ASK_AGAIN_MS = 60_000;

/** A generation that is to begin. */
export interface NewRun {
  taskId: string;
  input: GeneratePromptInput;
  memo: GenerationMemo;
  /** Whether its id was made from an Idempotency-Key. */
  keyed: boolean;
  /** Whether it is a task that has ended, which is to run once more. */
  again?: boolean;
}

/**
 * Has Temporal start a generation, with everything that operators find it by. Where the namespace does not have the search
 * attributes, or no longer, or has them by other types, it starts without them, and gets none later.
 * @throws whatever the client's `start` throws.
 */
export function createStartRun({ client, log, taskQueue }: Pick<GenerationsDeps, 'client' | 'log' | 'taskQueue'>) {
  let askAgainAt = 0;

  const start = ({ taskId, input, memo, keyed, again = false }: NewRun, attributes: Partial<SearchAttributeValues>) =>
    client.workflow.start(WORKFLOW_TYPE, {
      workflowId: taskId,
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      workflowExecutionTimeout: WORKFLOW_TIMEOUT_MS,
      priority: priorityOf(input.owner),
      memo: { ...memo },
      staticSummary: summaryFor(input.owner),
      staticDetails: detailsFor({ keyed, requestId: memo.request_id }),
      typedSearchAttributes: attributePairs(attributes),
    });

  return async (run: NewRun): Promise<void> => {
    const withAttributes = Date.now() >= askAgainAt;
    try {
      await start(run, withAttributes ? firstAttributes(run.input.owner) : {});
    } catch (error) {
      if (!withAttributes || !isRefused(error)) throw error;
      askAgainAt = Date.now() + ASK_AGAIN_MS;
      log.warn({ err: error, task_id: run.taskId }, 'a start with search attributes was refused: it starts without');
      await start(run, {});
    }
  };
}
