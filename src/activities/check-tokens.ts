import { activityInfo } from '@temporalio/activity';
import { HOLD_TTL_MS } from '../contract/limits.js';
import { outputCap, tokensToHold } from '../contract/money.js';
import type { Refusal } from '../contract/failures.js';
import type { HoldResult, Ledger } from '../ledger/types.js';

export interface CheckTokensInput {
  taskId: string;
  owner: string;
  /** An upper estimate of the request to the model, in tokens. */
  inputTokens: number;
}

/** A refusal is an answer, not an error: the account's owner may not generate now, and is told why. */
export type CheckTokensResult =
  { outcome: 'held'; heldTokens: number; maxOutputTokens: number } | { outcome: 'refused'; refusal: Refusal };

/** What `checkTokens` needs; amounts are tokens. */
export interface CheckTokensDeps {
  ledger: Pick<Ledger, 'hold'>;
  minimumTokens: number;
  maxOutputTokens: number;
}

/** Step 2: checks the subscription and sets aside what the call may cost. Safe to repeat: one hold per workflow run. */
export const createCheckTokens =
  ({ ledger, minimumTokens, maxOutputTokens }: CheckTokensDeps) =>
  async ({ taskId, owner, inputTokens }: CheckTokensInput): Promise<CheckTokensResult> => {
    const result: HoldResult = await ledger.hold({
      holdId: `${taskId}/${activityInfo().workflowExecution?.runId ?? taskId}`,
      taskId,
      owner,
      ...tokensToHold({ inputTokens, maxOutputTokens, minimumTokens }),
      ttlMs: HOLD_TTL_MS,
    });
    if (result.outcome === 'refused') return result;
    return {
      outcome: 'held',
      heldTokens: result.tokens,
      maxOutputTokens: outputCap({ held: result.tokens, inputTokens, maxOutputTokens }),
    };
  };
