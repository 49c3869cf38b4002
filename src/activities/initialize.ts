import type { StoredEnd } from '../contract/snapshot.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Ledger } from '../ledger/types.js';
import { baseInstruction, composeRequest, estimateInputTokens } from '../llm/compose-request.js';

export interface InitializeInput {
  taskId: string;
  owner: string;
  manualPrompt: string;
  /** When the workflow started, RFC 3339. */
  createdAt: string;
}

/** What the later steps need to know of the account. */
export interface Job {
  businessType: string | null;
  /** Of the template the instruction is from; null: the generic one. */
  templateVersion: number | null;
  /** What the prompt builds on. */
  instruction: string;
  /** An upper estimate of the request to the model, in tokens. */
  inputTokens: number;
  /** The task queue in which the call of the model waits for its turn. Absent: it waits for no turn, on the workflow's own. */
  llmTaskQueue?: string;
  /** Set where the task already has its AI-written prompt: a run that an operator repeated has nothing left to do. */
  ended: StoredEnd | null;
}

/** What `initialize` needs. */
export interface InitializeDeps {
  ledger: Pick<Ledger, 'beginGeneration'>;
  /** Where the calls of the model are limited. */
  llmTaskQueue?: string;
}

/** Step 1: stores the generation's row, reads the account's business type and its template. Safe to repeat. */
export const createInitialize =
  ({ ledger, llmTaskQueue }: InitializeDeps) =>
  async (input: InitializeInput): Promise<Job> => {
    const start = await ledger.beginGeneration({ ...input, createdAt: new Date(input.createdAt) });
    const instruction = baseInstruction({ businessType: start.businessType, template: start.template?.text ?? null });
    return {
      businessType: start.businessType,
      templateVersion: start.template?.version ?? null,
      instruction,
      inputTokens: estimateInputTokens(composeRequest(instruction, input.manualPrompt)),
      ended: start.ended && toStoredEnd(start.ended),
      ...(llmTaskQueue === undefined ? {} : { llmTaskQueue }),
    };
  };
