import assert from 'node:assert/strict';
import { setTimeout as rest } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createGenerateWithAi,
  TELL_AFTER_MS,
  type GeneratedPrompt,
  type GenerateWithAiInput,
} from '../../src/activities/generate-with-ai.js';
import type { WrittenText } from '../../src/feed/messages.js';
import type { LlmProgress } from '../../src/contract/names.js';
import { LlmError, type Answer, type Llm } from '../../src/llm/llm.js';

const INPUT: GenerateWithAiInput = { manualPrompt: 'Be kind.', instruction: 'You sell shoes.', maxOutputTokens: 500 };
const ANSWER: Answer = {
  text: '```\nYou are kind.\n```',
  model: 'm',
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  finishReason: 'stop',
};

/** Failed attempts are what these tests are about. */
const QUIET = { logger: new DefaultLogger('ERROR') };

describe('The activity that asks the model', () => {
  /** Runs one attempt and tells what the workflow was told. */
  const run = async (
    generate: Llm['generate'],
    { attempt = 1, maximumAttempts = 5, leftMs = 80_000, input = INPUT, modelId = 'm-1' } = {},
  ) => {
    const told: LlmProgress[] = [];
    const shown: WrittenText[] = [];
    const env = new MockActivityEnvironment(
      {
        attempt,
        retryPolicy: { maximumAttempts },
        scheduledTimestampMs: Date.now(),
        scheduleToCloseTimeoutMs: leftMs,
      },
      QUIET,
    );
    const activity = createGenerateWithAi({
      llm: { generate },
      modelId,
      tellWorkflow: (news) => {
        told.push(news);
        return Promise.resolve();
      },
      showText: (text) => shown.push(text),
    });
    const outcome = await env.run(activity, input).catch((error: unknown) => error);
    return { outcome, told, shown, env };
  };
  const failing = (error: Error) => () => Promise.reject(error);

  it('returns the prompt alone, and tells the workflow of the first text', async () => {
    const { outcome, told } = await run(async (_, { onText, signal }) => {
      onText('You');
      await rest(TELL_AFTER_MS * 2, undefined, { signal });
      return ANSWER;
    });
    assert.deepEqual(outcome, { prompt: 'You are kind.', model: 'm', usage: ANSWER.usage });
    assert.deepEqual(told, [{ kind: 'responding', attempt: 1 }]);
  });

  it('says which work it was: that of the same text, template, version and model, and no other', async () => {
    const keyOf = async (own: Partial<GenerateWithAiInput> = {}, modelId = 'm-1', finishReason = 'stop') => {
      const input = { ...INPUT, templateVersion: 1, ...own };
      const { outcome } = await run(() => Promise.resolve({ ...ANSWER, finishReason }), { input, modelId });
      return (outcome as GeneratedPrompt).workKey;
    };
    const key = await keyOf();
    assert.match(key ?? '', /^[\w-]{43}$/);
    assert.equal(await keyOf({ maxOutputTokens: 400 }), key);
    const others = await Promise.all([
      keyOf({ manualPrompt: 'Be kinder.' }),
      keyOf({ instruction: 'You sell hats.' }),
      keyOf({ templateVersion: 2 }),
      keyOf({ templateVersion: null }),
      keyOf({}, 'm-2'),
    ]);
    assert.equal(new Set([key, ...others]).size, 6);
    assert.equal(await keyOf({}, 'm-1', 'length'), undefined, 'it was cut short');
    assert.equal(await keyOf({ templateVersion: undefined as never }), undefined, 'nobody knows the version');
  });

  it('shows each piece of the answer as it comes, and where it belongs', async () => {
    const { shown } = await run(
      (_, { onText }) => {
        onText('You are ');
        onText('kind.');
        return Promise.resolve(ANSWER);
      },
      { attempt: 2 },
    );
    assert.deepEqual(
      shown.map(({ attempt, offset, text }) => ({ attempt, offset, text })),
      [
        { attempt: 2, offset: 0, text: 'You are ' },
        { attempt: 2, offset: 8, text: 'kind.' },
      ],
    );
  });

  it('tells the workflow nothing of an answer that is whole at once', async () => {
    const { told } = await run((_, { onText }) => {
      onText('You');
      return Promise.resolve(ANSWER);
    });
    assert.deepEqual(told, []);
  });

  it('returns the prompt although the workflow could not be told', async () => {
    const activity = createGenerateWithAi({
      llm: {
        generate: async (_, { onText }) => {
          onText('You');
          await rest(TELL_AFTER_MS * 2);
          return ANSWER;
        },
      },
      modelId: 'm-1',
      tellWorkflow: () => Promise.reject(new Error('away')),
      showText: () => undefined,
    });
    const generated: GeneratedPrompt = await new MockActivityEnvironment({}, QUIET).run(activity, INPUT);
    assert.equal(generated.prompt, 'You are kind.');
  });

  it('waits longer before each attempt, and tells when the next one comes', async () => {
    for (const [attempt, delayMs] of [
      [1, 1_000],
      [2, 2_000],
      [4, 8_000],
    ] as const) {
      const { outcome, told } = await run(failing(new LlmError('503', true)), { attempt });
      assert.ok(outcome instanceof ApplicationFailure);
      assert.equal(outcome.type, 'LlmUnavailable');
      assert.equal(outcome.nonRetryable, false);
      assert.equal(outcome.nextRetryDelay, delayMs);
      assert.equal(told[0]?.kind === 'retrying' && told[0].attempt, attempt + 1);
    }
  });

  it('waits as long as the model asks for', async () => {
    const { outcome } = await run(failing(new LlmError('429', true, 7_000)));
    assert.equal(outcome instanceof ApplicationFailure && outcome.nextRetryDelay, 7_000);
  });

  it('announces no attempt that will not come', async () => {
    const last = await run(failing(new LlmError('503', true)), { attempt: 5 });
    const late = await run(failing(new LlmError('429', true, 60_000)), { leftMs: 50_000 });
    assert.deepEqual([last.told, late.told], [[], []]);
  });

  for (const [name, generate] of [
    ['the model refuses the call', failing(new LlmError('401', false))],
    ['the answer is empty', () => Promise.resolve({ ...ANSWER, text: ' ' })],
    ['the content filter stepped in', () => Promise.resolve({ ...ANSWER, finishReason: 'content_filter' })],
  ] as [string, Llm['generate']][]) {
    it(`is not worth another attempt when ${name}`, async () => {
      const { outcome } = await run(generate);
      assert.ok(outcome instanceof ApplicationFailure);
      assert.equal(outcome.type, 'LlmRefused');
      assert.equal(outcome.nonRetryable, true);
    });
  }

  it('lets an error of our own code through as it is', async () => {
    const bug = new TypeError('undefined is not a function');
    assert.equal((await run(failing(bug))).outcome, bug);
  });

  it('aborts the call when it is cancelled', async () => {
    const env = new MockActivityEnvironment({}, QUIET);
    const activity = createGenerateWithAi({
      llm: {
        generate: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
            env.cancel();
          }),
      },
      modelId: 'm-1',
      tellWorkflow: () => Promise.resolve(),
      showText: () => undefined,
    });
    await assert.rejects(env.run(activity, INPUT), CancelledFailure);
  });
});
