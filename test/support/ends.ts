import type { GenerationEnd } from '../../src/contract/snapshot.js';

/** The end of a task whose prompt the model wrote, for so many tokens. */
export const byAi = (tokens: number): GenerationEnd => ({
  status: 'completed',
  prompt: 'p',
  generatedByAi: true,
  model: 'm',
  usage: { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens },
});
