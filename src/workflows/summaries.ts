import type { Job } from '../activities/index.js';
import type { GenerationEnd } from '../contract/snapshot.js';

/** What the Web UI says of each step in its history. At most 200 bytes, and no text of the user or the model. */
export const summaryOf = {
  initialize: 'Read the account and the template of its business type',
  checkTokens: ({ inputTokens }: Pick<Job, 'inputTokens'>): string =>
    `Check the subscription, set tokens aside for a request of up to ${inputTokens}`,
  generateWithAI: (maxOutputTokens: number): string => `Ask the model for at most ${maxOutputTokens} tokens`,
  finalize: (end: GenerationEnd): string => {
    if (end.status === 'failed') return `Charge nothing, release what is held, end as ${end.failure.code}`;
    return end.generatedByAi
      ? 'Charge what the model used, release the rest, store the prompt'
      : 'Charge nothing, release what is held, store the fallback';
  },
};
