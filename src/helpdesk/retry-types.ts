import type { Unavailable } from '../generations/types.js';
import type { RetryCharge } from '../ledger/support-types.js';

/** How a failed or fallback task is to run again. */
export interface RetryRequest {
  /** `same`: its owner sees the same task go on; `new`: another task of this owner. */
  as: 'same' | 'new';
  /** `failed_step`: what was done before, and paid, is not done again. Only as the same task, with the same text. */
  from: 'start' | 'failed_step';
  /** In place of the owner's text. */
  manualPrompt?: string | undefined;
  charge: RetryCharge;
  reason: string;
  /** The same again lets no second new task run. */
  key?: string | undefined;
  /** Only says what would be done. */
  dryRun: boolean;
}

/** What a retry does and may cost, in tokens. */
export interface RetryPlan {
  /** The task that runs; null: a new one that has no id yet. */
  taskId: string | null;
  from: RetryRequest['from'];
  /** Of `failed_step`: the one it goes on with. */
  step: string | null;
  /** Whether the model is asked (again). */
  asksModel: boolean;
  charge: RetryCharge;
  /** The most it takes from its owner; 0 where nobody pays. */
  mayCharge: number;
  /** The most it costs us at the model's. */
  mayCost: number;
  /** What the owner may spend now. */
  available: number;
}

export type RetryResult =
  | { outcome: 'planned' | 'retrying'; plan: RetryPlan }
  | { outcome: 'not_found' }
  /** With a sentence why. */
  | { outcome: 'not_retryable'; why: string }
  | Unavailable;
