import { tokensToHold } from '../contract/money.js';
import { baseInstruction, composeRequest, estimateInputTokens } from '../llm/compose-request.js';

/** Settings of what a generation may take, in tokens. */
export interface CostLimits {
  minimumTokens: number;
  maxOutputTokens: number;
}

/** The most that a generation of this text may cost, in tokens, before what its owner has is looked at. */
export function mostTokens(
  manualPrompt: string,
  business: Parameters<typeof baseInstruction>[0],
  limits: CostLimits,
): number {
  const inputTokens = estimateInputTokens(composeRequest(baseInstruction(business), manualPrompt));
  return tokensToHold({ inputTokens, ...limits }).wanted;
}
