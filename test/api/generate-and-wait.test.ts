import assert from 'node:assert/strict';
import { request } from 'node:http';
import { promisify } from 'node:util';
import type { Failure } from '../../src/contract/failures.js';
import { GENERATE_PATH, statusPath } from '../../src/contract/names.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('POST generate-prompt (blocking)', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
  });

  const generate = () => api().call('POST', GENERATE_PATH, { token, body: { manual_prompt: 'x' } });

  const startedTask = () =>
    eventually(() => {
      const line = api().generations.waiting[0];
      assert.ok(line);
      return line;
    });

  it('answers with the prompt when it is there, in the words of old', async () => {
    const answering = generate();
    const taskId = await startedTask();
    api().generations.complete(taskId);
    const { status, body } = await answering;
    assert.equal(status, 200);
    assert.deepEqual(body, {
      success: true,
      prompt: 'You are a friendly assistant.',
      generated_by_ai: true,
      message: 'Prompt generated successfully using AI',
      task_id: taskId,
    });
  });

  it('says with reuse that the prompt is one of before, or the task an equal request’s', async () => {
    const reusing = () => api().call('POST', GENERATE_PATH, { token, body: { manual_prompt: 'x', reuse: true } });
    api().generations.reused = 'cached';
    const cached = await reusing();
    assert.deepEqual(
      [cached.status, cached.body.prompt, cached.body.cached],
      [200, 'You are a friendly assistant.', true],
    );
    api().generations.reused = 'joined';
    const answering = reusing();
    const taskId = await eventually(() => api().generations.waiting[1] ?? assert.fail());
    api().generations.complete(taskId);
    const joined = await answering;
    assert.deepEqual([joined.status, joined.body.joined, 'cached' in joined.body], [200, true, false]);
  });

  it('answers a fallback with its warning', async () => {
    const answering = generate();
    api().generations.complete(await startedTask(), { generatedByAi: false });
    const { status, body } = await answering;
    assert.equal(status, 200);
    assert.equal(body.generated_by_ai, false);
    assert.equal(body.message, 'Prompt generated (AI unavailable, using fallback)');
    assert.equal(body.warning, 'AI generation failed, using simple combination');
  });

  it('waits no longer than a generation may take', async () => {
    const answering = generate();
    api().generations.complete(await startedTask());
    await answering;
    const [waitedMs] = api().generations.waits;
    assert.ok(waitedMs !== undefined && waitedMs <= 110_000 && waitedMs > 100_000);
  });

  const failures: { failure: Failure; status: number; body: Record<string, unknown> }[] = [
    {
      failure: { code: 'insufficient_tokens', required: 700, available: 250 },
      status: 402,
      body: {
        message: 'Insufficient tokens',
        error: 'You need at least 700 tokens for prompt enhancement. Available: 250',
        tokens_remaining: 250,
      },
    },
    {
      failure: { code: 'no_tokens_remaining', required: 700, available: 0 },
      status: 402,
      body: {
        message: 'Insufficient tokens',
        error: 'You need at least 700 tokens for prompt enhancement. Available: 0',
        tokens_remaining: 0,
      },
    },
    {
      failure: { code: 'subscription_expired' },
      status: 402,
      body: { message: 'Subscription is not active', error: 'Your subscription has expired. Please renew it.' },
    },
    {
      failure: { code: 'cancelled' },
      status: 409,
      body: {
        message: 'Generation cancelled',
        error: 'The generation was cancelled. No tokens were charged.',
      },
    },
    {
      failure: { code: 'timed_out' },
      status: 504,
      body: {
        message: 'Generation timed out',
        error: 'The generation took too long. No tokens were charged. Please try again.',
      },
    },
    {
      failure: { code: 'internal' },
      status: 500,
      body: {
        message: 'Generation failed',
        error: 'Something went wrong on our side. No tokens were charged. Please try again.',
      },
    },
  ];
  for (const { failure, status, body } of failures) {
    it(`answers ${status} where the generation failed as ${failure.code}`, async () => {
      const answering = generate();
      const taskId = await startedTask();
      api().generations.fail(taskId, failure);
      const answer = await answering;
      assert.equal(answer.status, status);
      const { success, code, task_id, message, error, tokens_remaining } = answer.body;
      assert.deepEqual([success, code, task_id], [false, failure.code, taskId]);
      assert.deepEqual({ tokens_remaining: undefined, ...body }, { message, error, tokens_remaining });
    });
  }

  for (const outcome of ['still_running', 'unavailable', 'not_found'] as const) {
    it(`says where to poll the task where the wait ends as ${outcome}`, async () => {
      api().generations.waitResult = { outcome };
      const { status, body, headers } = await generate();
      assert.equal(status, 504);
      assert.equal(body.code, 'still_running');
      assert.equal(body.status_url, statusPath(String(body.task_id)));
      assert.match(headers.get('set-cookie') ?? '', /^generation=/);
    });
  }

  it('tells who waits to poll instead, when the service stops', async () => {
    const answering = generate();
    await startedTask();
    api().stopping.abort();
    const { status, body } = await answering;
    assert.equal(status, 504);
    assert.equal(body.code, 'still_running');
  });

  for (const when of ['while it waits', 'before its task was started']) {
    it(`leaves the generation running where the client hangs up ${when}, waits no longer, and counts no error`, async () => {
      const starting = gate();
      if (when !== 'while it waits') api().generations.mayStart = starting.opened;
      const connections = promisify(api().server.getConnections.bind(api().server));
      const call = request(api().url + GENERATE_PATH, {
        method: 'POST',
        agent: false,
        headers: { Authorization: `Bearer ${token}` },
      });
      call.on('error', () => undefined);
      call.end('{"manual_prompt": "x"}');
      await eventually(() => {
        assert.equal(when === 'while it waits' ? api().generations.waiting.length : api().generations.startsAsked, 1);
      });
      call.destroy();
      await eventually(async () => {
        assert.equal(await connections(), 0);
      });
      starting.open();
      await startedTask();
      await eventually(() => {
        assert.equal(api().generations.gone[0]?.aborted, true);
        assert.ok(api().logLines.some(({ status }) => status === 499));
      });
      assert.deepEqual(api().generations.cancels, []);
    });
  }

  it('refuses what cannot be started, as the other endpoint does', async () => {
    const missing = await api().call('POST', GENERATE_PATH, { token, body: {} });
    assert.deepEqual([missing.status, missing.body.message], [400, 'manual_prompt is required']);
    api().generations.away = true;
    assert.equal((await generate()).status, 503);
  });
});
