import assert from 'node:assert/strict';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { LlmError, type Answer, type Llm } from '../../src/llm/llm.js';
import { countMended } from '../../src/metrics/count-mended.js';
import { measureActivities } from '../../src/metrics/measure-activities.js';
import { measureLlm } from '../../src/metrics/measure-llm.js';
import { createWorkerMetrics, type WorkerMetrics } from '../../src/metrics/worker-metrics.js';

const ANSWER: Answer = {
  text: 'You are kind.',
  model: 'm',
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  finishReason: 'stop',
};
const OPTIONS = { maxOutputTokens: 9, signal: AbortSignal.timeout(60_000), onText: () => undefined };
const REQUEST = { system: 's', user: 'u' };

describe('A worker measures', () => {
  let registry: Registry;
  let metrics: WorkerMetrics;
  beforeEach(() => {
    registry = new Registry();
    metrics = createWorkerMetrics(registry);
  });
  const told = async (line: string): Promise<void> => {
    const text = await registry.metrics();
    assert.ok(text.split('\n').includes(line), `${line} is not in\n${text.replaceAll(/^.*_bucket.*\n/gm, '')}`);
  };

  describe('its requests to the model', () => {
    const ask = (generate: Llm['generate']) =>
      measureLlm({ generate }, metrics)
        .generate(REQUEST, OPTIONS)
        .catch((error: unknown) => error);

    it('with the first text and the tokens of an answer', async () => {
      let heard = '';
      const generate: Llm['generate'] = (_, { onText }) => {
        onText('You ');
        onText('are');
        return Promise.resolve(ANSWER);
      };
      const onText = (text: string) => void (heard += text);
      const answer = await measureLlm({ generate }, metrics).generate(REQUEST, { ...OPTIONS, onText });
      assert.deepEqual([answer, heard], [ANSWER, 'You are']);
      await told('llm_request_duration_seconds_count{outcome="ok"} 1');
      await told('llm_time_to_first_token_seconds_count 1');
      await told('llm_tokens_total{kind="prompt"} 5');
      await told('llm_tokens_total{kind="completion"} 3');
    });

    const timedOut = new DOMException('', 'TimeoutError');
    for (const [error, outcome, status] of [
      [new LlmError('503', true, undefined, 503), 'unavailable', '503'],
      [new LlmError('401', false, undefined, 401), 'refused', '401'],
      [new LlmError('gone', true), 'unavailable', ''],
      [timedOut, 'timeout', ''],
    ] as const) {
      it(`that ended as ${outcome}${status && ` with ${status}`}, and throws their error on`, async () => {
        assert.equal(await ask(() => Promise.reject(error)), error);
        await told(`llm_request_duration_seconds_count{outcome="${outcome}"} 1`);
        await told(`llm_request_failures_total{outcome="${outcome}",status="${status}"} 1`);
      });
    }

    it('and takes one that was cancelled for no failure', async () => {
      await ask(() => Promise.reject(new CancelledFailure('')));
      await told('llm_request_duration_seconds_count{outcome="cancelled"} 1');
      assert.doesNotMatch(await registry.metrics(), /^llm_request_failures_total/m);
    });
  });

  describe('its activities', () => {
    const attempt = async (
      next: () => Promise<unknown>,
      {
        activityType = 'initialize',
        attempt: n = 1,
        args = [{ createdAt: new Date().toISOString() }] as unknown[],
        currentAttemptScheduledTimestampMs = Date.now(),
      } = {},
    ) => {
      const ctx = { info: { activityType, attempt: n, currentAttemptScheduledTimestampMs } };
      const { inbound } = measureActivities(metrics)(ctx as never) as { inbound: ActivityInboundCallsInterceptor };
      return inbound.execute!({ args, headers: {} }, next).catch((error: unknown) => error);
    };

    it('by how each attempt ended, and hands on what came of it', async () => {
      const failure = new Error('database away');
      assert.equal(await attempt(() => Promise.resolve('done')), 'done');
      assert.equal(await attempt(() => Promise.reject(failure)), failure);
      await attempt(() => Promise.reject(new CancelledFailure('')));
      for (const outcome of ['ok', 'failed', 'cancelled'])
        await told(`activity_attempt_duration_seconds_count{activity="initialize",outcome="${outcome}"} 1`);
    });

    it('and how long a generation waited for its first step, once', async () => {
      await attempt(() => Promise.resolve(), { args: [{ createdAt: new Date(Date.now() - 700).toISOString() }] });
      await attempt(() => Promise.resolve(), { attempt: 2 });
      await attempt(() => Promise.resolve(), { activityType: 'finalize', args: [] });
      await told('generation_queue_wait_seconds_count 1');
      await told('generation_queue_wait_seconds_bucket{le="0.5"} 0');
    });

    it('and how long each attempt to ask the model waited for its turn, and no other step', async () => {
      const currentAttemptScheduledTimestampMs = Date.now() - 700;
      for (const activityType of ['generateWithAI', 'initialize', 'finalize'])
        await attempt(() => Promise.resolve(), { activityType, currentAttemptScheduledTimestampMs });
      await attempt(() => Promise.resolve(), { activityType: 'generateWithAI', attempt: 2 });
      await told('llm_queue_wait_seconds_count 2');
      await told('llm_queue_wait_seconds_bucket{le="0.5"} 1');
    });

    it('and counts attempts after the first', async () => {
      await attempt(() => Promise.resolve(), { activityType: 'finalize', attempt: 1, args: [] });
      await attempt(() => Promise.resolve(), { activityType: 'finalize', attempt: 2, args: [] });
      await told('activity_retries_total{activity="finalize"} 1');
      await told('activity_retries_total{activity="initialize"} 0');
    });
  });

  it('what its reconciler mended', async () => {
    const found = { holdsReleased: 2, tasksEnded: 3, runsErased: 4, tasksLeft: 9 };
    assert.equal(await countMended(() => Promise.resolve(found), metrics)(), found);
    await told('reconciler_mended_total{what="hold"} 2');
    await told('reconciler_mended_total{what="task"} 3');
    await told('reconciler_mended_total{what="erased_run"} 4');
  });
});
