import assert from 'node:assert/strict';
import { GENERATE_ASYNC_PATH, GENERATIONS_PATH, statusPath } from '../../src/contract/names.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('the list of generations', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
  });

  const list = (query = '', by = token) => api().call('GET', GENERATIONS_PATH + query, { token: by });
  const start = async (manual_prompt: string, by = token): Promise<string> => {
    const { body } = await api().call('POST', GENERATE_ASYNC_PATH, { token: by, body: { manual_prompt } });
    return String(body.task_id);
  };
  const recordsOf = (body: Record<string, unknown>) => body.generations as Record<string, unknown>[];
  const idsOf = (body: Record<string, unknown>) => recordsOf(body).map(({ task_id }) => task_id);

  it('has the status of each, what it was asked for and where to poll it, newest first', async () => {
    const [completed, failed, running] = [await start('shoes'), await start('hats'), await start('socks')];
    api().generations.complete(completed);
    api().generations.fail(failed, { code: 'insufficient_tokens', required: 700, available: 250 });
    api().generations.advance(running, 'generating');
    const { status, body, headers } = await list();
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(body.next_cursor, null);
    const expected = [];
    for (const [id, manual_prompt] of [
      [running, 'socks'],
      [failed, 'hats'],
      [completed, 'shoes'],
    ] as const) {
      const poll = await api().call('GET', statusPath(id), { token });
      expected.push({ ...poll.body, manual_prompt, status_url: statusPath(id) });
    }
    assert.deepEqual(recordsOf(body), expected);
    assert.deepEqual(
      recordsOf(body).map((record) => [record.status, record.progress]),
      [
        ['processing', 50],
        ['failed', 100],
        ['completed', 100],
      ],
    );
  });

  it("is the caller's own: empty where others have some, and another's cursor is none of it", async () => {
    await start('mine');
    await start('mine too');
    const stranger = await tokenOf('acct-2');
    assert.deepEqual((await list('', stranger)).body, { generations: [], next_cursor: null });
    const theirs = await start('theirs', stranger);
    assert.deepEqual(idsOf((await list('', stranger)).body), [theirs]);
    assert.equal(idsOf((await list()).body).length, 2);
    const { body } = await list('?limit=1');
    const answer = await list(`?cursor=${String(body.next_cursor)}`, stranger);
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
    assert.equal(answer.body.detail, 'cursor: not one of this list');
  });

  it('comes page by page', async () => {
    const ids = [await start('a'), await start('b'), await start('c')].reverse();
    const first = (await list('?limit=2')).body;
    assert.deepEqual(idsOf(first), ids.slice(0, 2));
    const last = (await list(`?limit=2&cursor=${String(first.next_cursor)}`)).body;
    assert.deepEqual([idsOf(last), last.next_cursor], [ids.slice(2), null]);
  });

  const asked = async (query: string) => {
    assert.equal((await list(query)).status, 200, query);
    return api().generations.lists.at(-1);
  };

  it('is looked through for a status and a text, as they were sent', async () => {
    const nothing = { cursor: undefined, limit: 20, status: undefined, search: undefined };
    assert.deepEqual(await asked(''), nothing);
    assert.deepEqual(await asked('?limit=100&status=failed&q=No%20refunds'), {
      ...nothing,
      limit: 100,
      status: 'failed',
      search: 'No refunds',
    });
    assert.deepEqual(await asked('?limit=1&status=processing'), { ...nothing, limit: 1, status: 'processing' });
    assert.deepEqual(await asked('?status=completed'), { ...nothing, status: 'completed' });
    for (const text of [
      '%',
      '_',
      '\\',
      "' OR 1=1 --",
      '100 % & more',
      ' ',
      'Größe',
      '😀'.repeat(200),
      '\n',
      '\uFFFD',
    ]) {
      assert.deepEqual(await asked(`?q=${encodeURIComponent(text)}`), { ...nothing, search: text });
    }
  });

  it('takes an empty parameter for none', async () => {
    assert.deepEqual(await asked('?cursor=&status=&q='), await asked(''));
  });

  for (const query of [
    '?limit=0',
    '?limit=101',
    '?limit=-1',
    '?limit=1.5',
    '?limit=x',
    '?limit=',
    '?limit=1&limit=2',
    '?status=queued',
    '?status=COMPLETED',
    '?status=all',
    '?status=completed&status=failed',
    `?q=${'x'.repeat(201)}`,
    `?q=${encodeURIComponent('😀'.repeat(201))}`,
    '?q=a%00b',
    '?q=%00',
    '?q=%ED%A0%80',
    '?q=%ff',
    '?q=100%',
    '?q=a&q=b',
    '?cursor=nonsense',
    '?cursor=%00',
    `?cursor=${'x'.repeat(256)}`,
    '?cursor=a&cursor=b',
  ]) {
    it(`refuses ${query.slice(0, 30)}`, async () => {
      const { status, body } = await list(query);
      assert.deepEqual([status, body.code], [400, 'invalid_request']);
    });
  }

  it('names what is wrong', async () => {
    assert.match(String((await list('?status=queued')).body.detail), /^status: .*processing/);
    assert.match(String((await list('?q=%00')).body.detail), /^q: .*U\+0000/);
    assert.match(String((await list('?limit=0')).body.detail), /^limit: /);
  });

  it('is 401 without a token, also for the cookie of a task', async () => {
    const { headers } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    for (const sent of [{}, { Cookie: cookie }]) {
      const answer = await api().call('GET', GENERATIONS_PATH, { headers: sent });
      assert.deepEqual([answer.status, answer.body.code], [401, 'unauthorized']);
    }
  });

  it('is 503 while the database is away', async () => {
    api().generations.ledgerAway = true;
    const { status, body, headers } = await list();
    assert.deepEqual([status, body.code], [503, 'unavailable']);
    assert.ok(Number(headers.get('retry-after')) > 0);
  });

  it('comes all the same while Temporal is away: what runs is as it was last known', async () => {
    const [completed, running] = [await start('shoes'), await start('hats')];
    api().generations.complete(completed);
    api().generations.away = true;
    const { status, body } = await list();
    assert.equal(status, 200);
    assert.deepEqual(
      recordsOf(body).map((record) => [record.task_id, record.stale, record.as_of]),
      [
        [running, true, recordsOf(body)[0]!.updated_at],
        [completed, undefined, undefined],
      ],
    );
  });

  it('never logs what was looked for', async () => {
    await list('?q=very-secret-words');
    const lines = JSON.stringify(api().logLines);
    assert.match(lines, /web-knowledge\/generations/);
    assert.doesNotMatch(lines, /very-secret-words/);
  });
});
