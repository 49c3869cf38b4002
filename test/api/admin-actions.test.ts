import assert from 'node:assert/strict';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const ACTIONS = '/api/v1/admin/actions/';

describe('GET admin/actions', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await adminToken();
  });

  const list = (query = '') => api().call('GET', ACTIONS + query, { token });
  const actionsOf = async (query?: string) =>
    ((await list(query)).body.actions as { action: string }[]).map(({ action }) => action);

  it('tells who did what to whom, by which request, newest first', async () => {
    const headers = { 'Idempotency-Key': 'g1', 'X-Request-Id': 'request-1' };
    await api().call('PUT', '/api/v1/admin/accounts/acct-1/', { token, body: {} });
    const grants = '/api/v1/admin/accounts/acct-1/grants/';
    await api().call('POST', grants, { token, headers, body: { tokens: 5, reason: 'x' } });
    await api().call('PUT', '/api/v1/admin/prompt-templates/Shoes/', { token, body: { template: 'one' } });
    assert.deepEqual(await actionsOf(), ['put_template', 'grant_tokens', 'put_account']);
    const { actions } = (await list('?target=acct-1&limit=1')).body as { actions: { at: string }[] };
    const [{ at, ...action }] = actions as [{ at: string }];
    assert.ok(!Number.isNaN(Date.parse(at)), at);
    assert.deepEqual(action, {
      id: '2',
      actor: 'support-1',
      action: 'grant_tokens',
      target: 'acct-1',
      request_id: 'request-1',
      details: { tokens: 5 },
    });
  });

  it('is page by page, of one target or one actor', async () => {
    const other = await tokenOf('support-2', { scope: 'admin' });
    for (const owner of ['a', 'b', 'c']) {
      await api().call('PUT', `/api/v1/admin/accounts/${owner}/`, { token, body: {} });
    }
    await api().call('PUT', '/api/v1/admin/prompt-templates/a/', { token: other, body: { template: 'x' } });
    const first = (await list('?limit=3')).body;
    assert.equal((first.actions as unknown[]).length, 3);
    const last = (await list(`?limit=3&cursor=${String(first.next_cursor)}`)).body;
    assert.deepEqual([(last.actions as unknown[]).length, last.next_cursor], [1, null]);
    assert.deepEqual(await actionsOf('?target=a'), ['put_template', 'put_account']);
    assert.deepEqual(await actionsOf('?actor=support-2'), ['put_template']);
    assert.deepEqual(await actionsOf('?actor=support-2&target=b'), []);
  });

  for (const query of ['?limit=0', '?cursor=nonsense', '?target=', `?actor=${'x'.repeat(256)}`, '?target=%00']) {
    it(`refuses ${query.slice(0, 20)}`, async () => {
      const answer = await list(query);
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
    });
  }

  it('is for admins only', async () => {
    const answer = await api().call('GET', ACTIONS, { token: await tokenOf('acct-1', { scope: 'support' }) });
    assert.deepEqual([answer.status, answer.body.code], [403, 'insufficient_scope']);
    const without = await api().call('GET', ACTIONS);
    assert.deepEqual([without.status, without.body.code], [401, 'unauthorized']);
  });
});
