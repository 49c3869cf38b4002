/** An answer shorter than this is of no use: a generation that could not afford it is refused. In tokens. */
export const MIN_OUTPUT_TOKENS = 256;

/** What a generation needs at least and at most, in tokens, from the estimated size of its request. */
export function tokensToHold(estimate: { inputTokens: number; maxOutputTokens: number; minimumTokens: number }): {
  minimum: number;
  wanted: number;
} {
  const minimum = Math.max(estimate.minimumTokens, estimate.inputTokens + MIN_OUTPUT_TOKENS);
  return { minimum, wanted: Math.max(minimum, estimate.inputTokens + estimate.maxOutputTokens) };
}

/** How many tokens the answer may have so that the call never costs more than is held. */
export function outputCap(call: { held: number; inputTokens: number; maxOutputTokens: number }): number {
  return Math.max(1, Math.min(call.maxOutputTokens, call.held - call.inputTokens));
}
