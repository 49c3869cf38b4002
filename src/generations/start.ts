import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { WORKFLOW_TYPE, type GeneratePromptInput, type GenerationMemo } from '../contract/names.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { keyedTaskId, newTaskId, requestHash } from './task-id.js';
import type { Generations, StartResult } from './types.js';

/** How long and how often an unconfirmed start is looked for, in ms. */
const REVOKE_FOR_MS = WORKFLOW_TIMEOUT_MS;
const REVOKE_EVERY_MS = 2_000;

/** Starts a generation in one round trip; the database is not asked. */
export function createStart({ client, log, taskQueue }: GenerationsDeps): Generations['start'] {
  return async ({ owner, manualPrompt, idempotencyKey, requestId }) => {
    const taskId = idempotencyKey === undefined ? newTaskId() : keyedTaskId(owner, idempotencyKey);
    const request_hash = requestHash(manualPrompt);
    try {
      await within(client, DEADLINE_MS.start, () =>
        client.workflow.start(WORKFLOW_TYPE, {
          workflowId: taskId,
          taskQueue,
          args: [{ owner, manualPrompt } satisfies GeneratePromptInput],
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowExecutionTimeout: WORKFLOW_TIMEOUT_MS,
          memo: { owner, request_hash, request_id: requestId } satisfies GenerationMemo,
          staticSummary: 'Generate a system prompt',
        }),
      );
      return { outcome: 'started', taskId };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return compare(taskId, owner, request_hash);
      log.error({ err: error, task_id: taskId }, 'a generation could not be started');
      // A caller with a key asks again and gets this very task; one without would pay for a task it never heard of.
      if (idempotencyKey === undefined) void revoke(taskId);
      return { outcome: 'unavailable' };
    }
  };

  /** The key was used before: for this request, or for another one? */
  async function compare(taskId: string, owner: string, hash: string): Promise<StartResult> {
    try {
      const { memo } = await within(client, DEADLINE_MS.read, () => client.workflow.getHandle(taskId).describe());
      const { owner: startedBy, request_hash } = memo as unknown as GenerationMemo;
      return startedBy === owner && request_hash === hash ? { outcome: 'existing', taskId } : { outcome: 'key_reused' };
    } catch (error) {
      log.error({ err: error, task_id: taskId }, 'a repeated start could not be compared with the first one');
      return { outcome: 'unavailable' };
    }
  }

  /** "Unavailable" promises that nothing was started, but a start whose answer got lost may have been: cancel that. */
  async function revoke(taskId: string): Promise<void> {
    for (const giveUpAt = Date.now() + REVOKE_FOR_MS; Date.now() < giveUpAt;) {
      try {
        await within(client, DEADLINE_MS.cancel, () => client.workflow.getHandle(taskId).cancel());
        log.warn({ task_id: taskId }, 'a start that could not be confirmed was cancelled');
        return;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return;
        await new Promise((resolve) => setTimeout(resolve, REVOKE_EVERY_MS).unref());
      }
    }
    log.error({ task_id: taskId }, 'a start that could not be confirmed could not be cancelled either');
  }
}
