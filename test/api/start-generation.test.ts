import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { GENERATE_ASYNC_PATH, statusPath } from '../../src/contract/names.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('POST generate-prompt-async', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
  });

  const start = (body: unknown, headers: Record<string, string> = {}) =>
    api().call('POST', GENERATE_ASYNC_PATH, { token, body, headers });

  it('starts a generation and says in the words of old where to poll it', async () => {
    const answer = await start({ manual_prompt: '  We sell shoes.\n', unknown: 'ignored' });
    assert.equal(answer.status, 202);
    const taskId = String(answer.body.task_id);
    assert.deepEqual(answer.body, {
      success: true,
      task_id: taskId,
      status: 'queued',
      message: 'Prompt generation started. Use task_id to check status.',
      status_url: statusPath(taskId),
    });
    assert.equal(answer.headers.get('location'), statusPath(taskId));
    assert.equal(answer.headers.get('retry-after'), '1');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.has('idempotent-replayed'), false);
    assert.deepEqual(api().generations.starts, [
      {
        owner: 'acct-1',
        manualPrompt: 'We sell shoes.',
        idempotencyKey: undefined,
        requestId: answer.headers.get('x-request-id'),
      },
    ]);
  });

  it('is answered without its last slash too', async () => {
    const answer = await api().call('POST', GENERATE_ASYNC_PATH.slice(0, -1), { token, body: { manual_prompt: 'x' } });
    assert.equal(answer.status, 202);
  });

  it('hands a sane request id on, and replaces any other', async () => {
    const sane = await start({ manual_prompt: 'x' }, { 'X-Request-Id': 'page-7.a_b' });
    assert.equal(sane.headers.get('x-request-id'), 'page-7.a_b');
    assert.equal(api().generations.starts[0]?.requestId, 'page-7.a_b');
    for (const insane of ['two words', '"quoted"', 'x'.repeat(129)]) {
      const { headers } = await start({ manual_prompt: 'x' }, { 'X-Request-Id': insane });
      assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    }
  });

  describe('bodies', () => {
    for (const [what, body] of Object.entries({
      missing: {},
      blank: { manual_prompt: ' \n\t' },
      'not a string': { manual_prompt: 7 },
      null: { manual_prompt: null },
      'nothing but what no database stores': { manual_prompt: '\0 \0' },
    })) {
      it(`refuses a manual_prompt that is ${what}`, async () => {
        const answer = await start(body);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.success, false);
        assert.equal(answer.body.message, 'manual_prompt is required');
        assert.equal(answer.body.code, 'manual_prompt_required');
        assert.deepEqual(api().generations.starts, []);
      });
    }

    it('refuses an empty body like a missing manual_prompt', async () => {
      assert.equal((await start(undefined)).body.message, 'manual_prompt is required');
    });

    it('counts characters as people do: 10,000 emoji pass, one more does not', async () => {
      assert.equal((await start({ manual_prompt: '👟'.repeat(10_000) })).status, 202);
      const answer = await start({ manual_prompt: 'a'.repeat(10_001) });
      assert.equal(answer.status, 422);
      assert.equal(answer.body.code, 'manual_prompt_too_long');
    });

    it('drops what no database stores', async () => {
      await start({ manual_prompt: 'a\0b \ud800 c' });
      assert.equal(api().generations.starts[0]?.manualPrompt, 'ab \ufffd c');
    });

    it('takes text/plain for JSON, as browsers name it where a page names nothing', async () => {
      assert.equal((await start('{"manual_prompt": "x"}')).status, 202);
    });

    it('takes a body without any type for JSON', async () => {
      assert.equal((await start(new TextEncoder().encode('{"manual_prompt": "x"}'))).status, 202);
    });

    it('takes compressed JSON', async () => {
      const body = new Uint8Array(gzipSync('{"manual_prompt": "x"}'));
      assert.equal((await start(body, { 'Content-Encoding': 'gzip' })).status, 202);
    });

    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/html',
      'nonsense',
    ]) {
      it(`refuses ${type}`, async () => {
        const answer = await start('{"manual_prompt": "x"}', { 'Content-Type': type });
        assert.equal(answer.status, 415);
        assert.equal(answer.body.code, 'unsupported_media_type');
      });
    }

    for (const broken of [
      '{"manual_prompt":',
      '[]',
      '"x"',
      'null',
      '7',
      '{"__proto__": {"manual_prompt": "x"}}',
      '\u0000',
    ]) {
      it(`refuses ${JSON.stringify(broken)}`, async () => {
        const answer = await start(broken);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.code, 'invalid_json');
      });
    }

    it('refuses what only says it is compressed', async () => {
      assert.equal((await start('{"manual_prompt": "x"}', { 'Content-Encoding': 'gzip' })).body.code, 'invalid_json');
    });

    it('refuses a body over 64 KiB, also one that is so only unpacked', async () => {
      const large = JSON.stringify({ manual_prompt: 'x', more: 'x'.repeat(64 * 1024) });
      assert.equal((await start(large)).status, 413);
      const packed = await start(new Uint8Array(gzipSync(large)), { 'Content-Encoding': 'gzip' });
      assert.equal(packed.status, 413);
      assert.equal(packed.body.code, 'payload_too_large');
      assert.deepEqual(api().generations.starts, []);
    });
  });

  describe('with an Idempotency-Key', () => {
    it('answers the same request with the same task, and says so', async () => {
      const first = await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'key-1' });
      const again = await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'key-1' });
      assert.equal(again.status, 202);
      assert.deepEqual(again.body, first.body);
      assert.equal(again.headers.get('idempotent-replayed'), 'true');
      assert.match(again.headers.get('set-cookie') ?? '', /^generation=/);
      assert.equal(api().generations.starts.length, 1);
    });

    it('refuses the same key with another body', async () => {
      await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'key-1' });
      const other = await start({ manual_prompt: 'y' }, { 'Idempotency-Key': 'key-1' });
      assert.equal(other.status, 422);
      assert.equal(other.body.code, 'idempotency_key_reused');
    });

    it('takes 255 characters and refuses none, 256 and control characters', async () => {
      assert.equal((await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'k'.repeat(255) })).status, 202);
      for (const key of ['', 'k'.repeat(256), 'a\tb']) {
        const answer = await start({ manual_prompt: 'x' }, { 'Idempotency-Key': key });
        assert.equal(answer.status, 400);
        assert.equal(answer.body.code, 'invalid_idempotency_key');
      }
    });
  });

  describe('with reuse', () => {
    it('says that the task has the prompt of an equal one, as does its status', async () => {
      api().generations.reused = 'cached';
      const answer = await start({ manual_prompt: 'x', reuse: true });
      assert.equal(answer.status, 202);
      const taskId = String(answer.body.task_id);
      assert.deepEqual(answer.body, {
        success: true,
        task_id: taskId,
        status: 'queued',
        message: 'Prompt generation started. Use task_id to check status.',
        status_url: statusPath(taskId),
        cached: true,
      });
      assert.match(answer.headers.get('set-cookie') ?? '', /^generation=/);
      const status = await api().call('GET', statusPath(taskId), { token });
      assert.deepEqual([status.body.status, status.body.cached], ['completed', true]);
      assert.deepEqual(status.body.tokens, { charged: 0, available: 9_700 });
    });

    it('says that it is the task of an equal request', async () => {
      api().generations.reused = 'joined';
      const { status, body } = await start({ manual_prompt: 'x', reuse: true });
      assert.deepEqual([status, body.joined, 'cached' in body], [202, true, false]);
    });

    it('is asked for by true alone', async () => {
      await start({ manual_prompt: 'x', reuse: true });
      await start({ manual_prompt: 'x', reuse: false });
      await start({ manual_prompt: 'x' });
      assert.deepEqual(
        api().generations.starts.map((request) => request.reuse ?? 'not asked for'),
        [true, 'not asked for', 'not asked for'],
      );
      for (const reuse of ['true', 1, null, {}]) {
        const answer = await start({ manual_prompt: 'x', reuse });
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
        assert.match(String(answer.body.detail), /^reuse: /);
      }
      assert.equal(api().generations.starts.length, 3);
    });

    it('is counted by what became of it', async () => {
      for (const reused of ['cached', 'joined'] as const) {
        api().generations.reused = reused;
        await start({ manual_prompt: 'x', reuse: true });
      }
      const { values } = await api().metrics.starts.get();
      assert.deepEqual(
        values.filter(({ value }) => value > 0).map(({ labels }) => labels.outcome),
        ['cached', 'joined'],
      );
    });
  });

  it('says 503 where the orchestrator is away: nothing was started', async () => {
    api().generations.away = true;
    const answer = await start({ manual_prompt: 'x' });
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'unavailable');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.equal(answer.headers.has('set-cookie'), false);
  });

  it('counts starts by what became of them', async () => {
    await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'key-1' });
    await start({ manual_prompt: 'x' }, { 'Idempotency-Key': 'key-1' });
    const { values } = await api().metrics.starts.get();
    assert.deepEqual(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.outcome, value]),
      [
        ['started', 1],
        ['existing', 1],
      ],
    );
  });
});
