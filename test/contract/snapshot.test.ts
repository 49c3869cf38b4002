import assert from 'node:assert/strict';
import fc from 'fast-check';
import { wordsFor, type Failure } from '../../src/contract/failures.js';
import { HEARTBEAT_EVERY_MS } from '../../src/activities/generate-with-ai.js';
import {
  CLIENT_LIMIT_MS,
  HOLD_TTL_MS,
  LLM_ATTEMPT_MS,
  LLM_BUDGET_MS,
  LLM_HEARTBEAT_TIMEOUT_MS,
  WORKFLOW_TIMEOUT_MS,
} from '../../src/contract/limits.js';
import { outputCap, tokensToHold } from '../../src/contract/money.js';
import { atStep, ENDED_SEQ, endedSnapshot, failedSnapshot, queuedSnapshot } from '../../src/contract/snapshot.js';
import { STEPS, type Step } from '../../src/contract/steps.js';

const AT = '2026-01-02T03:04:05.000Z';
const LATER = '2026-01-02T03:04:06.000Z';
const queued = queuedSnapshot({ taskId: 't', owner: 'ann', createdAt: AT });

describe('A snapshot', () => {
  it('begins as queued, waiting for a worker', () => {
    assert.deepEqual(queued, {
      seq: 0,
      owner: 'ann',
      task_id: 't',
      progress: 0,
      status: 'queued',
      message: 'Task queued, waiting to start...',
      created_at: AT,
      updated_at: AT,
      detail: { waiting_for: 'worker' },
    });
  });

  it('has the words of the contract at each step', () => {
    const words = Object.values(STEPS).map(({ progress, status, message }) => [progress, status, message]);
    assert.deepEqual(words, [
      [0, 'queued', 'Task queued, waiting to start...'],
      [10, 'processing', 'Initializing AI generation...'],
      [30, 'processing', 'Checking tokens...'],
      [50, 'processing', 'Generating enhanced prompt with AI...'],
      [70, 'processing', 'Waiting for AI response...'],
      [90, 'processing', 'Finalizing...'],
    ]);
  });

  it('never goes back, whatever the order of the steps, and grows in seq', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...(Object.keys(STEPS) as Step[]))), (steps) => {
        let now = queued;
        for (const step of steps) {
          const next = atStep(now, step, LATER);
          assert.ok(next.progress >= now.progress);
          assert.equal(next.seq, now.seq + 1);
          now = next;
        }
      }),
    );
  });

  it('names what it waits for and forgets the attempt at the next step', () => {
    const retrying = atStep(queued, 'generating', LATER, { attempt: 2, next_attempt_at: LATER });
    assert.deepEqual(retrying.detail, { waiting_for: 'llm', attempt: 2, next_attempt_at: LATER });
    assert.equal(atStep(retrying, 'finalizing', LATER).detail, undefined);
  });

  it('of a fallback carries the warning and no charge', () => {
    const end = endedSnapshot(atStep(queued, 'finalizing', AT), {
      status: 'completed',
      prompt: 'p',
      generatedByAi: false,
      model: 'none',
      usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      tokensCharged: 0,
      tokensAvailable: 7,
      endedAt: LATER,
    });
    assert.deepEqual(end, {
      seq: ENDED_SEQ,
      owner: 'ann',
      task_id: 't',
      progress: 100,
      status: 'completed',
      message: 'Prompt generated (AI unavailable, using fallback)',
      warning: 'AI generation failed, using simple combination',
      prompt: 'p',
      generated_by_ai: false,
      model: 'none',
      usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      tokens: { charged: 0, available: 7 },
      created_at: AT,
      updated_at: LATER,
      completed_at: LATER,
    });
  });

  const failures: [Failure, string, string, string][] = [
    [
      { code: 'insufficient_tokens', required: 700, available: 250 },
      'Insufficient tokens',
      'You need at least 700 tokens. Available: 250',
      'buy_tokens',
    ],
    [
      { code: 'no_tokens_remaining', required: 700, available: 0 },
      'Insufficient tokens',
      'You need at least 700 tokens. Available: 0',
      'buy_tokens',
    ],
    [
      { code: 'no_subscription' },
      'Subscription is not active',
      'You have no active subscription. Please choose a plan.',
      'renew_subscription',
    ],
    [
      { code: 'subscription_expired' },
      'Subscription is not active',
      'Your subscription has expired. Please renew it.',
      'renew_subscription',
    ],
    [
      { code: 'subscription_deactivated' },
      'Subscription is not active',
      'Your subscription is deactivated. Please contact support.',
      'contact_support',
    ],
    [{ code: 'cancelled' }, 'Generation cancelled', 'The generation was cancelled. No tokens were charged.', 'retry'],
    [
      { code: 'timed_out' },
      'Generation timed out',
      'The generation took too long. No tokens were charged. Please try again.',
      'retry',
    ],
    [
      { code: 'internal' },
      'Generation failed',
      'Something went wrong on our side. No tokens were charged. Please try again.',
      'retry',
    ],
  ];
  for (const [failure, message, error, action] of failures) {
    it(`of a failure has the words of ${failure.code}`, () => {
      assert.deepEqual(wordsFor(failure), { message, error, action });
      const end = failedSnapshot(queued, failure, LATER);
      assert.deepEqual([end.status, end.progress, end.completed_at], ['failed', 100, LATER]);
      assert.equal(end.error_code, failure.code);
    });
  }
});

describe('What a generation may cost', () => {
  const amount = fc.integer({ min: 1, max: 100_000 });

  it('is held in full where the balance allows, and the answer never exceeds what is held', () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, (inputTokens, maxOutputTokens, minimumTokens, balance) => {
        const { minimum, wanted } = tokensToHold({ inputTokens, maxOutputTokens, minimumTokens });
        assert.ok(minimum >= minimumTokens && wanted >= minimum);
        fc.pre(balance >= minimum);
        const held = Math.min(balance, wanted);
        const cap = outputCap({ held, inputTokens, maxOutputTokens });
        assert.ok(cap >= 1 && cap <= maxOutputTokens && cap + inputTokens <= held);
      }),
    );
  });
});

describe('Limits of time', () => {
  it('each fit into the one before, so that a task ends before its client gives up and its hold expires', () => {
    const limits = [
      HOLD_TTL_MS,
      CLIENT_LIMIT_MS,
      WORKFLOW_TIMEOUT_MS,
      LLM_BUDGET_MS,
      LLM_ATTEMPT_MS,
      LLM_HEARTBEAT_TIMEOUT_MS,
      HEARTBEAT_EVERY_MS,
    ];
    for (const [index, limit] of limits.slice(1).entries()) assert.ok(limit < limits[index]!);
  });
});
