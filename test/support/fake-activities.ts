import type { Activities } from '../../src/activities/index.js';
import type { GenerationEnd, StoredEnd } from '../../src/contract/snapshot.js';

/** What a fake `finalize` stores: everything it is given, charging what was used. */
export const storedEnd = (end: GenerationEnd): StoredEnd => ({
  ...end,
  tokensCharged: end.status === 'completed' ? end.usage.total_tokens : 0,
  tokensAvailable: 5_000,
  endedAt: new Date().toISOString(),
});

export interface FakeActivities extends Activities {
  /** Each call's name and argument, in order. */
  calls: { name: keyof Activities; input: unknown }[];
}

/** Activities of a job that goes well, with the given ones in their place. */
export function fakeActivities(own: Partial<Activities> = {}): FakeActivities {
  const calls: FakeActivities['calls'] = [];
  const activities: Activities = {
    initialize: () =>
      Promise.resolve({
        businessType: 'Shoe store',
        templateVersion: 1,
        instruction: 'You sell shoes.',
        inputTokens: 100,
        ended: null,
      }),
    checkTokens: () => Promise.resolve({ outcome: 'held', heldTokens: 3_100, maxOutputTokens: 3_000 }),
    generateWithAI: () =>
      Promise.resolve({
        prompt: 'You are the assistant of a shoe store.',
        model: 'fake-model',
        usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
      }),
    finalize: ({ end }) => Promise.resolve(storedEnd(end)),
    ...own,
  };
  const recorded = <K extends keyof Activities>(name: K): Activities[K] =>
    ((input: never) => {
      calls.push({ name, input });
      return (activities[name] as (input: never) => Promise<unknown>)(input);
    }) as Activities[K];
  return {
    calls,
    initialize: recorded('initialize'),
    checkTokens: recorded('checkTokens'),
    generateWithAI: recorded('generateWithAI'),
    finalize: recorded('finalize'),
  };
}
