import { WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';

/** How long and how often an unconfirmed start is looked for, in ms. */
const REVOKE_FOR_MS = WORKFLOW_TIMEOUT_MS;
const REVOKE_EVERY_MS = 2_000;
/** A slow server may carry out a start after its caller has given up: until then "not found" means "not yet". */
const MAY_COME_FOR_MS = 30_000;

/** A start that nobody could confirm: of one task, or of a batch. */
export interface Unconfirmed {
  workflowId: string;
  owner: string;
  taskIds: readonly string[];
}

/**
 * "Unavailable" promises that nothing was started, but a start whose answer got lost may have been: its tasks cost nothing,
 * whatever becomes of this process, and are cancelled. Never throws.
 */
export function createRevoke({ client, ledger, log }: Pick<GenerationsDeps, 'client' | 'ledger' | 'log'>) {
  async function waive({ workflowId, ...start }: Unconfirmed): Promise<boolean> {
    try {
      await withDeadline(ledger.waive(start), DEADLINE_MS.ledger);
      return true;
    } catch (error) {
      log.warn({ err: error, task_id: workflowId }, 'a start that could not be confirmed may be charged');
      return false;
    }
  }

  return async function revoke(start: Unconfirmed): Promise<void> {
    const { workflowId } = start;
    const began = performance.now();
    let isWaived = false;
    while (performance.now() < began + REVOKE_FOR_MS) {
      isWaived ||= await waive(start);
      try {
        await within(client, DEADLINE_MS.cancel, () => client.workflow.getHandle(workflowId).cancel());
        log.warn({ task_id: workflowId }, 'a start that could not be confirmed was cancelled');
        return;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError && performance.now() > began + MAY_COME_FOR_MS) return;
        await new Promise((resolve) => setTimeout(resolve, REVOKE_EVERY_MS).unref());
      }
    }
    log.error({ task_id: workflowId }, 'a start that could not be confirmed could not be cancelled either');
  };
}
