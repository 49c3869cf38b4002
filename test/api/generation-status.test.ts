import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { GENERATE_ASYNC_PATH, statusPath } from '../../src/contract/names.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('the status of a generation', () => {
  const api = useTestApi();
  let token: string;
  let taskId: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
    const { body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    taskId = String(body.task_id);
  });

  const read = (id = taskId) => api().call('GET', statusPath(id), { token });

  it('is the snapshot without what only the service needs', async () => {
    const { status, body, headers } = await read();
    assert.equal(status, 200);
    const { created_at, updated_at, ...rest } = body;
    assert.equal(created_at, updated_at);
    assert.deepEqual(rest, {
      task_id: taskId,
      status: 'queued',
      progress: 0,
      message: 'Task queued, waiting to start...',
      detail: { waiting_for: 'worker' },
    });
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('retry-after'), '1');
  });

  it('is answered without its last slash, and to HEAD without a body', async () => {
    assert.equal((await api().call('GET', statusPath(taskId).slice(0, -1), { token })).body.task_id, taskId);
    const head = await api().call('HEAD', statusPath(taskId), { token });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.ok(Number(head.headers.get('content-length')) > 0);
  });

  it('tells of a completed one its prompt and what it cost, and nothing to wait for', async () => {
    api().generations.advance(taskId, 'generating');
    api().generations.complete(taskId);
    const { body, headers } = await read();
    assert.equal(headers.has('retry-after'), false);
    assert.equal(body.status, 'completed');
    assert.equal(body.progress, 100);
    assert.equal(body.message, 'Prompt generated successfully');
    assert.equal(body.prompt, 'You are a friendly assistant.');
    assert.equal(body.generated_by_ai, true);
    assert.deepEqual(body.usage, { prompt_tokens: 100, completion_tokens: 200, total_tokens: 300 });
    assert.deepEqual(body.tokens, { charged: 300, available: 9_700 });
    assert.equal(body.model, 'test-model');
    assert.equal('warning' in body, false);
  });

  it('tells of a fallback that it is one', async () => {
    api().generations.complete(taskId, { generatedByAi: false });
    const { body } = await read();
    assert.equal(body.generated_by_ai, false);
    assert.equal(body.message, 'Prompt generated (AI unavailable, using fallback)');
    assert.equal(body.warning, 'AI generation failed, using simple combination');
  });

  it('tells of a refused one why, and what to do', async () => {
    api().generations.fail(taskId, { code: 'insufficient_tokens', required: 700, available: 250 });
    const { status, body } = await read();
    assert.equal(status, 200);
    assert.equal(body.status, 'failed');
    assert.equal(body.message, 'Insufficient tokens');
    assert.equal(body.error, 'You need at least 700 tokens. Available: 250');
    assert.equal(body.error_code, 'insufficient_tokens');
    assert.equal(body.action, 'buy_tokens');
    assert.deepEqual(body.tokens, { required: 700, available: 250 });
  });

  it('says so where it could not be refreshed', async () => {
    api().generations.staleAsOf = '2026-11-24T09:00:00.000Z';
    const { status, body } = await read();
    assert.equal(status, 200);
    assert.equal(body.stale, true);
    assert.equal(body.as_of, '2026-11-24T09:00:00.000Z');
  });

  it('is 503 where nothing can be said of it', async () => {
    api().generations.away = true;
    const answer = await read();
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'unavailable');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  });

  it("answers another owner's task exactly like one that never existed, and like no task id at all", async () => {
    const stranger = await tokenOf('acct-2');
    const answers = [];
    for (const id of [taskId, randomUUID(), 'undefined', '%ZZ', '%00', 'a%2Fb', "' OR 1=1", 'x'.repeat(5_000)]) {
      const { status, body, headers } = await api().call('GET', statusPath(id), { token: stranger });
      answers.push({ status, body: { ...body, request_id: '' }, type: headers.get('content-type') });
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.deepEqual(answers[0]?.body, {
      success: false,
      status: 'not_found',
      message: 'Task not found. It may have expired or never existed.',
      type: '/docs#error-task_not_found',
      title: 'Task not found',
      detail: 'Task not found. It may have expired or never existed.',
      code: 'task_not_found',
      request_id: '',
    });
    assert.equal(answers[0].status, 404);
  });

  it('is logged at level debug, with the task and its owner', async () => {
    await read();
    const line = api().logLines.find((entry) => entry.method === 'GET');
    assert.deepEqual(
      [line?.level, line?.route, line?.task_id, line?.owner, line?.status],
      [20, statusPath('{task_id}'), taskId, 'acct-1', 200],
    );
  });
});

describe('cancelling a generation', () => {
  const api = useTestApi();
  let token: string;
  let taskId: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
    const { body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    taskId = String(body.task_id);
  });

  const ways = [
    { method: 'POST', path: (id: string) => `${statusPath(id)}cancel/` },
    { method: 'DELETE', path: statusPath },
  ];
  for (const { method, path } of ways) {
    describe(`by ${method}`, () => {
      const cancel = (id = taskId, by = token) => api().call(method, path(id), { token: by });

      it('answers 202 with the state as it is, once; then 200', async () => {
        const first = await cancel();
        assert.equal(first.status, 202);
        assert.equal(first.body.status, 'queued');
        assert.equal((await cancel()).status, 200);
        assert.deepEqual(api().generations.cancels, [taskId]);
      });

      it('answers 200 with the state of a finished one', async () => {
        api().generations.fail(taskId, { code: 'cancelled' });
        const { status, body } = await cancel();
        assert.equal(status, 200);
        assert.equal(body.status, 'failed');
        assert.equal(body.error_code, 'cancelled');
        assert.deepEqual(api().generations.cancels, []);
      });

      it("does not know somebody else's task", async () => {
        const answer = await cancel(taskId, await tokenOf('acct-2'));
        assert.equal(answer.status, 404);
        assert.equal(answer.body.status, 'not_found');
        assert.deepEqual(api().generations.cancels, []);
      });

      it('is 503 while the orchestrator is away', async () => {
        api().generations.away = true;
        assert.equal((await cancel()).status, 503);
      });
    });
  }
});
