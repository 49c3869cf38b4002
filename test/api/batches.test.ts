import assert from 'node:assert/strict';
import {
  BATCH_MAX_ITEMS,
  batchStatusPath,
  GENERATE_BATCH_PATH,
  itemTaskId,
  statusPath,
} from '../../src/contract/names.js';
import { manualPromptsOf } from '../../src/api/generations/manual-prompt.js';
import { eventually } from '../support/eventually.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('POST generate-prompt-batch', () => {
  const api = useTestApi();
  let token: string;
  beforeEach(async () => {
    token = await tokenOf('acct-1');
  });

  const start = (manual_prompts: unknown, headers: Record<string, string> = {}) =>
    api().call('POST', GENERATE_BATCH_PATH, { token, headers, body: { manual_prompts } });

  it('starts a task for each prompt and says where to poll them, and all of them together', async () => {
    const answer = await start(['  We sell shoes.\n', 'We repair bicycles.']);
    assert.equal(answer.status, 202);
    const batchId = String(answer.body.batch_id);
    assert.deepEqual(answer.body, {
      success: true,
      batch_id: batchId,
      status: 'queued',
      message: 'Batch started. Use batch_id to check status.',
      status_url: batchStatusPath(batchId),
      items: [0, 1].map((index) => {
        const task_id = itemTaskId(batchId, index);
        return { index, task_id, status_url: statusPath(task_id) };
      }),
    });
    assert.equal(answer.headers.get('location'), batchStatusPath(batchId));
    assert.equal(answer.headers.get('ratelimit-policy')?.includes('"starts";q=60'), true);
    assert.deepEqual(
      api().generations.starts.map(({ manualPrompt, owner }) => [manualPrompt, owner]),
      [
        ['We sell shoes.', 'acct-1'],
        ['We repair bicycles.', 'acct-1'],
      ],
    );
    const item = await api().call('GET', statusPath(itemTaskId(batchId, 1)), { token });
    assert.equal(item.body.status, 'queued');
  });

  for (const [what, manual_prompts] of Object.entries({
    missing: undefined,
    empty: [],
    'a text': 'We sell shoes.',
    'an object': { 0: 'We sell shoes.' },
  }))
    it(`wants a list of prompts: ${what} is none`, async () => {
      const { status, body } = await start(manual_prompts);
      assert.deepEqual([status, body.code], [400, 'prompts_required']);
    });

  it('names the prompt that is bad, and starts none then', async () => {
    for (const [bad, status, code, words] of [
      ['  ', 400, 'manual_prompt_required', 'manual_prompts[2] is required'],
      [7, 400, 'manual_prompt_required', 'manual_prompts[2] is required'],
      [null, 400, 'manual_prompt_required', 'manual_prompts[2] is required'],
      ['x'.repeat(10_001), 422, 'manual_prompt_too_long', 'manual_prompts[2] may have at most 10000 characters.'],
    ] as const) {
      const answer = await start(['fine', 'fine too', bad, '']);
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.index, answer.body.detail],
        [status, code, 2, words],
      );
    }
    assert.deepEqual(api().generations.starts, []);
  });

  it('takes no more prompts than a batch may have, nor than the limits of an owner ever let in, and names which', async () => {
    const tooMany = await start(Array.from({ length: BATCH_MAX_ITEMS + 1 }, () => 'x'));
    assert.deepEqual([tooMany.status, tooMany.body.code], [422, 'too_many_prompts']);
    assert.match(String(tooMany.body.detail), /at most 100 prompts/);
    for (const [size, words] of [
      [61, /At most 60 generations can be started in a minute/],
      [21, /At most 20 generations can run at a time/],
    ] as const) {
      const { status, body } = await start(Array.from({ length: size }, () => 'x'));
      assert.deepEqual([status, body.code], [422, 'too_many_prompts']);
      assert.match(String(body.detail), words);
    }
    assert.equal((await start(Array.from({ length: 20 }, () => 'x'))).status, 202);
  });

  it('takes a body of its own size, and no larger one', async () => {
    assert.equal((await start(Array.from({ length: 20 }, () => 'سلام '.repeat(2_000)))).status, 202);
    const { status, body } = await start(Array.from({ length: 20 }, () => 'x'.repeat(110_000)));
    assert.deepEqual([status, body.code, body.detail], [413, 'payload_too_large', 'The body is larger than 2000 KiB.']);
  });

  it('takes no texts that have become larger than Temporal takes, as bytes that are no UTF-8 are three each then', () => {
    const manual_prompts = Array.from({ length: BATCH_MAX_ITEMS }, () => '\uFFFD'.repeat(7_100));
    const limits = { startsPerMinute: 1_000, runningTasks: 1_000 };
    assert.throws(() => manualPromptsOf({ manual_prompts }, limits), { code: 'payload_too_large' });
    assert.equal(manualPromptsOf({ manual_prompts: manual_prompts.slice(0, 90) }, limits).length, 90);
  });

  it('tells why it can start nothing now', async () => {
    api().generations.limited = {
      outcome: 'limited',
      limit: 'running',
      retryAfterMs: 1_500,
      quota: { starts: 5, startsResetMs: 0, running: 1 },
    };
    const limited = await start(['a', 'b']);
    assert.deepEqual(
      [limited.status, limited.body.code, limited.headers.get('retry-after')],
      [429, 'rate_limited', '2'],
    );
    assert.equal(limited.headers.get('ratelimit'), '"starts";r=5;t=0, "running";r=1');
    api().generations.away = true;
    assert.equal((await start(['a'])).status, 503);
    const anonymous = await api().call('POST', GENERATE_BATCH_PATH, { body: { manual_prompts: ['a'] } });
    assert.equal(anonymous.status, 401);
  });
});

describe('The status of a batch', () => {
  const api = useTestApi();
  let token: string;
  let batchId: string;
  let cookie: string;
  beforeEach(async () => {
    token = await tokenOf('acct-1');
    const body = { manual_prompts: ['a', 'b', 'c'] };
    const answer = await api().call('POST', GENERATE_BATCH_PATH, { token, body });
    batchId = String(answer.body.batch_id);
    cookie = answer.headers.get('set-cookie')!;
  });
  const read = (headers: Record<string, string> = {}) =>
    api().call('GET', batchStatusPath(batchId), { token, headers });
  const item = (index: number) => itemTaskId(batchId, index);

  it('tells each item, how many are in which state, and one progress for all', async () => {
    assert.deepEqual([(await read()).body.status, (await read()).headers.get('retry-after')], ['queued', '1']);
    api().generations.advance(item(0), 'generating');
    api().generations.complete(item(0));
    api().generations.fail(item(1), { code: 'no_subscription' });
    api().generations.advance(item(2), 'checkingTokens');
    const { body } = await read();
    assert.deepEqual([body.status, body.progress], ['processing', 76]);
    assert.deepEqual(body.counts, { total: 3, queued: 0, processing: 1, completed: 1, failed: 1 });
    const items = body.items as Record<string, unknown>[];
    assert.deepEqual(
      items.map(({ updated_at: _, ...one }) => one),
      [
        { status: 'completed', progress: 100, generated_by_ai: true },
        { status: 'failed', progress: 100, error_code: 'no_subscription' },
        { status: 'processing', progress: 30 },
      ].map((one, index) => ({ index, task_id: item(index), status_url: statusPath(item(index)), ...one })),
    );
    api().generations.fail(item(2), { code: 'cancelled' });
    const end = await read();
    assert.deepEqual(
      [end.body.status, end.body.message, end.headers.has('retry-after')],
      ['completed', '1 of 3 prompts generated', false],
    );
  });

  it('is nobody else’s, and no other id’s', async () => {
    const other = await tokenOf('acct-2');
    const paths = [
      batchStatusPath(batchId),
      batchStatusPath('nonsense'),
      batchStatusPath(item(0)),
      statusPath(batchId),
    ];
    for (const path of paths) {
      const { status, body } = await api().call('GET', path, { token: other });
      assert.deepEqual([status, body.code], [404, 'task_not_found']);
    }
    for (const [method, path] of [
      ['POST', `${batchStatusPath(batchId)}cancel/`],
      ['DELETE', batchStatusPath(batchId)],
    ] as const)
      assert.equal((await api().call(method, path, { token: other })).status, 404);
  });

  it('may be read by its cookie, which is for nothing else', async () => {
    assert.match(cookie, new RegExp(`path=${batchStatusPath(batchId)};`));
    const headers = { Cookie: cookie.split(';', 1)[0]! };
    assert.equal((await api().call('GET', batchStatusPath(batchId), { headers })).status, 200);
    for (const [method, path] of [
      ['GET', statusPath(item(0))],
      ['GET', batchStatusPath(item(0))],
      ['DELETE', batchStatusPath(batchId)],
      ['POST', GENERATE_BATCH_PATH],
    ] as const)
      assert.equal((await api().call(method, path, { headers })).status, 401, `${method} ${path}`);
  });

  it('is a 304 while nothing is new, and waits for what is', async () => {
    const etag = (await read()).headers.get('etag')!;
    assert.equal((await read({ 'If-None-Match': etag })).status, 304);
    const answer = read({ 'If-None-Match': etag, Prefer: 'wait=25' });
    await eventually(() => {
      assert.equal(api().generations.subscribers, 1);
    });
    api().generations.advance(item(1), 'generating');
    const { status, body, headers } = await answer;
    assert.deepEqual([status, body.progress, headers.get('preference-applied')], [200, 16, 'wait=25']);
    assert.notEqual(headers.get('etag'), etag);
  });

  it('comes as events up to its end, once for changes that come together; a reader that has heard it gets none', async () => {
    const events = fetch(api().url + batchStatusPath(batchId), {
      headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' },
    }).then((response) => response.text());
    await eventually(() => {
      assert.equal(api().generations.subscribers, 1);
    });
    for (const index of [0, 1, 2]) api().generations.advance(item(index), 'generating');
    for (const index of [0, 1, 2]) api().generations.complete(item(index));
    const text = await events;
    const told = [...text.matchAll(/^data: ([^\n]*)$/gm)].map(
      ([, data]) => JSON.parse(data!) as Record<string, unknown>,
    );
    assert.deepEqual([told[0]?.progress, told.at(-1)?.progress, told.at(-1)?.status], [0, 100, 'completed']);
    assert.ok(told.length < 7, `${told.length} events for 6 changes`);
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    const again = await read({ Accept: 'text/event-stream', 'Last-Event-ID': lastId });
    assert.equal(again.status, 204);
  });

  it('can be cancelled in two ways, once', async () => {
    const cancelled = await api().call('POST', `${batchStatusPath(batchId)}cancel/`, { token });
    assert.deepEqual([cancelled.status, cancelled.body.batch_id], [202, batchId]);
    assert.equal((await api().call('DELETE', batchStatusPath(batchId), { token })).status, 200);
    assert.deepEqual(api().generations.cancels, [batchId]);
    api().generations.away = true;
    assert.equal((await api().call('DELETE', batchStatusPath(batchId), { token })).status, 503);
    assert.equal((await read()).status, 503);
  });

  it('says since when it could not be refreshed', async () => {
    api().generations.staleAsOf = '2026-01-02T03:04:05.000Z';
    const { body } = await read();
    assert.deepEqual([body.stale, body.as_of], [true, '2026-01-02T03:04:05.000Z']);
  });
});
