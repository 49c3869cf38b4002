import { activityInfo } from '@temporalio/activity';
import type { GenerationEnd, StoredEnd } from '../contract/snapshot.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Ledger } from '../ledger/types.js';

export interface FinalizeInput {
  taskId: string;
  owner: string;
  end: GenerationEnd;
  /** For support: why there is no prompt by the AI. */
  reason?: string;
  /** The run began anew. */
  repeated?: boolean;
}

/** What `finalize` needs. */
export interface FinalizeDeps {
  ledger: Pick<Ledger, 'endGeneration'>;
}

/**
 * Step 4, and the end of every other way: settles or releases what is held and stores the result, in one transaction.
 * Safe to repeat: the answer is the stored truth, whoever ended the task first.
 */
export const createFinalize =
  ({ ledger }: FinalizeDeps) =>
  async (input: FinalizeInput): Promise<StoredEnd> =>
    toStoredEnd(await ledger.endGeneration({ ...input, runId: activityInfo().workflowExecution?.runId }));
