import assert from 'node:assert/strict';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const PATH = '/api/v1/admin/owners/acct%2042/data/';

describe('DELETE and GET admin/owners/{owner}/data', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await adminToken();
  });

  it('erases the data of an owner and answers with the receipt', async () => {
    const answer = await api().call('DELETE', PATH, { token, headers: { 'X-Request-Id': 'request-1' } });
    assert.equal(answer.status, 200);
    const { requested_at, finished_at, ...receipt } = answer.body;
    for (const at of [requested_at, finished_at]) assert.ok(!Number.isNaN(Date.parse(String(at))), String(at));
    assert.deepEqual(receipt, {
      erasure_id: 'erasure-1',
      owner: 'acct 42',
      status: 'finished',
      erased: { keys: 1, generations: 2, starts: 3, workflow_runs: 4 },
      kept: { ledger_entries: 5 },
    });
    const by = { actor: 'support-1', requestId: 'request-1' };
    assert.deepEqual(api().generations.erasures, [{ owner: 'acct 42', by }]);
  });

  it('says how far it is where it takes longer, and when to ask again', async () => {
    api().generations.erasureEnds = false;
    const answer = await api().call('DELETE', PATH, { token });
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [202, '2']);
    assert.deepEqual([answer.body.status, answer.body.finished_at], ['running', null]);
  });

  it('says 503 while Temporal is away', async () => {
    api().generations.away = true;
    const answer = await api().call('DELETE', PATH, { token });
    assert.deepEqual([answer.status, answer.body.code], [503, 'unavailable']);
  });

  it('tells the newest receipt, 404 where there is none, 503 while the database is away', async () => {
    const none = await api().call('GET', PATH, { token });
    assert.deepEqual([none.status, none.body.code], [404, 'not_found']);
    const { erasure } = await api().ledger.requestErasure('acct 42');
    const answer = await api().call('GET', PATH, { token });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.body.erasure_id, answer.body.status], [erasure.id, 'running']);
    api().ledger.outage = new Error('connect ECONNREFUSED 127.0.0.1:5432');
    const away = await api().call('GET', PATH, { token });
    assert.deepEqual([away.status, away.body.code], [503, 'unavailable']);
  });

  for (const method of ['DELETE', 'GET']) {
    it(`${method} is for admins only, and not for the owner`, async () => {
      const owner = await api().call(method, PATH, { token: await tokenOf('acct 42', { scope: 'support' }) });
      assert.deepEqual([owner.status, owner.body.code], [403, 'insufficient_scope']);
      const nobody = await api().call(method, PATH);
      assert.deepEqual([nobody.status, nobody.body.code], [401, 'unauthorized']);
      assert.deepEqual(api().generations.erasures, []);
    });

    it(`${method} refuses an owner that is none`, async () => {
      const answer = await api().call(method, '/api/v1/admin/owners/%00/data/', { token });
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
    });
  }

  it('leaves keys of erased tasks used up: their start is refused in words of its own', async () => {
    api().generations.erased = true;
    const answer = await api().call('POST', '/api/v1/web-knowledge/generate-prompt-async/', {
      token: await tokenOf('acct 42'),
      headers: { 'Idempotency-Key': 'k' },
      body: { manual_prompt: 'x' },
    });
    assert.deepEqual([answer.status, answer.body.code], [422, 'idempotency_key_reused']);
    assert.match(String(answer.body.message), /a task that was erased/);
  });
});
