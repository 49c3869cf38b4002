import type { GenerationEnd, Usage } from './snapshot.js';

/** `model` of a fallback: no model wrote it. */
const FALLBACK_MODEL = 'none';
const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

/** What a business gets where the AI can't be used: the instruction, a blank line, and its owner's own words. */
export const fallbackEnd = (instruction: string, manualPrompt: string): GenerationEnd => ({
  status: 'completed',
  generatedByAi: false,
  prompt: `${instruction}\n\n${manualPrompt}`,
  model: FALLBACK_MODEL,
  usage: NO_USAGE,
});
