import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { WORKFLOW_TYPE, type GeneratePromptInput, type GenerationMemo } from '../contract/names.js';
import { attributePairs, firstAttributes, type SearchAttributeValues } from '../contract/search-attributes.js';
import type { GenerationsDeps } from './deps.js';
import { priorityOf } from './fairness.js';
import { detailsFor, summaryFor } from './start-texts.js';
import { createWithAttributes } from './with-attributes.js';

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
 * Has Temporal start a generation, with everything that operators find it by.
 * @throws whatever the client's `start` throws.
 */
export function createStartRun({ client, log, taskQueue }: Pick<GenerationsDeps, 'client' | 'log' | 'taskQueue'>) {
  const withAttributes = createWithAttributes(log);

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
    await withAttributes(run.taskId, firstAttributes(run.input.owner), (attributes) => start(run, attributes));
  };
}
