import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCheckTokens } from '../../src/activities/check-tokens.js';
import type { HoldResult, Ledger } from '../../src/ledger/types.js';

describe('The activity that sets tokens aside', () => {
  const run = async (result: HoldResult, inputTokens = 200) => {
    const asked: Parameters<Ledger['hold']>[0][] = [];
    const activity = createCheckTokens({
      ledger: {
        hold: (hold) => {
          asked.push(hold);
          return Promise.resolve(result);
        },
      },
      minimumTokens: 700,
      maxOutputTokens: 3_000,
    });
    const env = new MockActivityEnvironment({ workflowExecution: { workflowId: 'task', runId: 'run' } });
    return { answer: await env.run(activity, { taskId: 'task', owner: 'ann', inputTokens }), asked: asked[0]! };
  };

  it('holds what the call may cost at most, once per run, for longer than the workflow lives', async () => {
    const { answer, asked } = await run({ outcome: 'held', tokens: 3_200 });
    assert.deepEqual(asked, {
      holdId: 'task/run',
      taskId: 'task',
      owner: 'ann',
      minimum: 700,
      wanted: 3_200,
      ttlMs: 150_000,
    });
    assert.deepEqual(answer, { outcome: 'held', heldTokens: 3_200, maxOutputTokens: 3_000 });
  });

  it('caps the answer to what is held, less the request', async () => {
    const { answer } = await run({ outcome: 'held', tokens: 900 });
    assert.deepEqual(answer, { outcome: 'held', heldTokens: 900, maxOutputTokens: 700 });
  });

  it('asks for more than the minimum where the text alone would use that up', async () => {
    const { asked } = await run({ outcome: 'held', tokens: 7_000 }, 4_000);
    assert.deepEqual([asked.minimum, asked.wanted], [4_256, 7_000]);
  });

  it('hands on a refusal as it is', async () => {
    const refusal = { code: 'no_subscription' } as const;
    assert.deepEqual((await run({ outcome: 'refused', refusal })).answer, { outcome: 'refused', refusal });
  });
});
