import assert from 'node:assert/strict';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const ACCOUNT = '/api/v1/admin/accounts/acct-1/';

describe('accounts', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await adminToken();
  });

  const put = (body: unknown, path = ACCOUNT) => api().call('PUT', path, { token, body });
  const grant = (body: unknown, key?: string, path = ACCOUNT) =>
    api().call('POST', `${path}grants/`, { token, body, headers: key === undefined ? {} : { 'Idempotency-Key': key } });

  describe('PUT', () => {
    it('creates an account, and then changes only what it names', async () => {
      const expires_at = '2027-12-31T23:59:59+02:00';
      const created = await put({ business_type: 'Shoe shop', subscription: { status: 'active', expires_at } });
      assert.equal(created.status, 200);
      assert.deepEqual(created.body, {
        owner: 'acct-1',
        business_type: 'Shoe shop',
        subscription: { status: 'active', expires_at: '2027-12-31T21:59:59.000Z' },
        tokens: { balance: 0, held: 0, available: 0 },
      });
      const same = await put({});
      assert.deepEqual(same.body, created.body);
      const changed = await put({ subscription: { status: 'deactivated', expires_at: null } });
      assert.equal(changed.body.business_type, 'Shoe shop');
      assert.deepEqual(changed.body.subscription, { status: 'deactivated', expires_at: null });
      assert.equal((await put({ business_type: null })).body.business_type, null);
    });

    it('takes any owner that can be written in a URL', async () => {
      for (const owner of ['auth0|5f7c', 'a/b', 'ümläut', ' ', '..%2f', 'x'.repeat(255)]) {
        const path = `/api/v1/admin/accounts/${encodeURIComponent(owner)}/`;
        assert.equal((await put({}, path)).body.owner, owner);
        assert.equal((await api().call('GET', path, { token })).body.owner, owner);
      }
    });

    for (const owner of ['x'.repeat(256), '%00', '%ZZ', '%ff']) {
      it(`refuses ${owner.slice(0, 5)} as an owner`, async () => {
        const answer = await put({}, `/api/v1/admin/accounts/${owner}/`);
        assert.equal(answer.status, 400);
        assert.match(String(answer.body.detail), /owner/);
      });
    }

    for (const body of [
      { business_type: '' },
      { business_type: 7 },
      { business_type: 'a\0b' },
      { business_type: 'half a pair: \ud800' },
      { business_type: ' \n' },
      { subscription: {} },
      { subscription: null },
      { subscription: { status: 'paused' } },
      { subscription: { status: 'active', expires_at: 'tomorrow' } },
      { subscription: { status: 'active', expires_at: '2027-12-31T23:59:59' } },
      { subscription: { status: 'active', expires: null } },
    ]) {
      it(`refuses ${JSON.stringify(body)}`, async () => {
        const answer = await put(body);
        assert.equal(answer.status, 400);
        assert.equal(answer.body.code, 'invalid_request');
      });
    }

    it('names the members it does not know', async () => {
      const answer = await put({ busines_type: 'x', tokens: 5 });
      assert.equal(answer.status, 400);
      assert.match(String(answer.body.detail), /busines_type/);
      assert.match(String(answer.body.detail), /tokens/);
    });
  });

  describe('GET', () => {
    it('answers an account, and 404 where there is none', async () => {
      assert.equal((await api().call('GET', ACCOUNT, { token })).body.code, 'account_not_found');
      await put({});
      assert.equal((await api().call('GET', ACCOUNT, { token })).body.owner, 'acct-1');
    });

    it("answers a caller's own account, and an empty one where nobody made it yet", async () => {
      const own = async () => (await api().call('GET', '/api/v1/account/', { token: await tokenOf('acct-1') })).body;
      assert.deepEqual(await own(), {
        owner: 'acct-1',
        business_type: null,
        subscription: { status: 'none', expires_at: null },
        tokens: { balance: 0, held: 0, available: 0 },
      });
      await put({ business_type: 'Shoe shop' });
      assert.equal((await own()).business_type, 'Shoe shop');
    });
  });

  describe('grants', () => {
    beforeEach(() => put({}));

    it('add tokens once per key', async () => {
      const first = await grant({ tokens: 500, reason: 'Welcome' }, 'g1');
      assert.equal(first.status, 201);
      assert.equal(first.headers.has('idempotent-replayed'), false);
      const { created_at, ...entry } = first.body;
      assert.equal(typeof created_at, 'string');
      assert.deepEqual(entry, {
        id: '1',
        type: 'grant',
        tokens: 500,
        balance_after: 500,
        reason: 'Welcome',
        task_id: null,
      });
      const again = await grant({ tokens: 500, reason: 'Welcome' }, 'g1');
      assert.equal(again.status, 201);
      assert.equal(again.headers.get('idempotent-replayed'), 'true');
      assert.deepEqual(again.body, first.body);
      assert.deepEqual((await api().call('GET', ACCOUNT, { token })).body.tokens, {
        balance: 500,
        held: 0,
        available: 500,
      });
    });

    it('are refused where the key was used for another one', async () => {
      await grant({ tokens: 500, reason: 'Welcome' }, 'g1');
      const other = await grant({ tokens: 501, reason: 'Welcome' }, 'g1');
      assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused']);
    });

    it('need a key', async () => {
      const answer = await grant({ tokens: 500, reason: 'Welcome' });
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_idempotency_key']);
    });

    it('need an account', async () => {
      const answer = await grant({ tokens: 1, reason: 'x' }, 'g1', '/api/v1/admin/accounts/nobody/');
      assert.deepEqual([answer.status, answer.body.code], [404, 'account_not_found']);
    });

    for (const body of [
      { tokens: 0, reason: 'x' },
      { tokens: -5, reason: 'x' },
      { tokens: 1.5, reason: 'x' },
      { tokens: '5', reason: 'x' },
      { tokens: 1e12 + 1, reason: 'x' },
      { tokens: 5 },
      { tokens: 5, reason: '' },
      { tokens: 5, reason: 'x'.repeat(501) },
      { tokens: 5, reason: 'half a pair: \udfff' },
      { tokens: 5, reason: 'x', note: 'y' },
    ]) {
      it(`are refused as ${JSON.stringify(body).slice(0, 40)}`, async () => {
        const answer = await grant(body, 'g1');
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
      });
    }
  });

  describe('the ledger', () => {
    beforeEach(() => put({}));

    const list = (query = '') => api().call('GET', `${ACCOUNT}ledger/${query}`, { token });

    it('lists entries, newest first, page by page', async () => {
      for (const tokens of [1, 2, 3]) await grant({ tokens, reason: 'x' }, `g${tokens}`);
      const tokensOf = (page: Record<string, unknown>) =>
        (page.entries as { tokens: number }[]).map((one) => one.tokens);
      const first = (await list('?limit=2')).body;
      assert.deepEqual(tokensOf(first), [3, 2]);
      const last = (await list(`?limit=2&cursor=${String(first.next_cursor)}`)).body;
      assert.deepEqual([tokensOf(last), last.next_cursor], [[1], null]);
      assert.deepEqual(tokensOf((await list()).body), [3, 2, 1]);
    });

    for (const query of [
      '?limit=0',
      '?limit=201',
      '?limit=x',
      '?limit=',
      '?cursor=',
      '?cursor=nonsense',
      '?cursor=1&cursor=2',
    ]) {
      it(`refuses ${query}`, async () => {
        const answer = await list(query);
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
      });
    }

    it('is 404 where there is no account', async () => {
      const answer = await api().call('GET', '/api/v1/admin/accounts/nobody/ledger/', { token });
      assert.deepEqual([answer.status, answer.body.code], [404, 'account_not_found']);
    });
  });

  describe('prompt templates', () => {
    const putTemplate = (template: unknown, businessType = 'Shoe%20shop') =>
      api().call('PUT', `/api/v1/admin/prompt-templates/${businessType}/`, { token, body: { template } });

    it('get a new version with each change', async () => {
      assert.deepEqual((await putTemplate('one')).body, { business_type: 'Shoe shop', template: 'one', version: 1 });
      assert.equal((await putTemplate('two', 'SHOE%20SHOP')).body.version, 2);
      assert.equal((await putTemplate('two')).body.version, 2);
    });

    for (const template of [null, '', 7, 'a\0b', '\ud800 half a pair', 'x'.repeat(20_001)]) {
      it(`refuse ${JSON.stringify(template).slice(0, 10)}`, async () => {
        assert.equal((await putTemplate(template)).body.code, 'invalid_request');
      });
    }
  });

  it('are 503 while the database is away, and the log says why', async () => {
    api().ledger.outage = new Error('connect ECONNREFUSED 10.0.0.5:5432');
    const body = { tokens: 5, reason: 'x' };
    const answers = [
      await put({}),
      await api().call('GET', ACCOUNT, { token }),
      await api().call('GET', '/api/v1/account/', { token }),
      await api().call('GET', `${ACCOUNT}ledger/`, { token }),
      await api().call('GET', '/api/v1/admin/actions/', { token }),
      await grant(body, 'g1'),
      await api().call('PUT', '/api/v1/admin/prompt-templates/x/', { token, body: { template: 'x' } }),
    ];
    for (const { status, text, headers } of answers) {
      assert.equal(status, 503);
      assert.ok(Number(headers.get('retry-after')) > 0);
      assert.ok(!text.includes('10.0.0.5'));
    }
    assert.ok(JSON.stringify(api().logLines).includes('10.0.0.5'));
  });
});
