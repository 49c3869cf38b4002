import { WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';

/** How long and how often an unconfirmed start is looked for, in ms. */
const REVOKE_FOR_MS = WORKFLOW_TIMEOUT_MS;
const REVOKE_EVERY_MS = 2_000;
/** A slow server may carry out a start after its caller has given up: until then "not found" means "not yet". */
const MAY_COME_FOR_MS = 30_000;

/** "Unavailable" promises that nothing was started, but a start whose answer got lost may have been: cancel that. Never throws. */
export function createRevoke({ client, log }: Pick<GenerationsDeps, 'client' | 'log'>) {
  return async function revoke(workflowId: string): Promise<void> {
    const began = Date.now();
    while (Date.now() < began + REVOKE_FOR_MS) {
      try {
        await within(client, DEADLINE_MS.cancel, () => client.workflow.getHandle(workflowId).cancel());
        log.warn({ task_id: workflowId }, 'a start that could not be confirmed was cancelled');
        return;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError && Date.now() > began + MAY_COME_FOR_MS) return;
        await new Promise((resolve) => setTimeout(resolve, REVOKE_EVERY_MS).unref());
      }
    }
    log.error({ task_id: workflowId }, 'a start that could not be confirmed could not be cancelled either');
  };
}
