import assert from 'node:assert/strict';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const PATH = '/api/v1/support/doctor/';

describe('The doctor', () => {
  const api = useTestApi();

  it('tells support what was found, and that all is well', async () => {
    const token = await tokenOf('support-1', { scope: 'support' });
    const { status, body } = await api().call('GET', PATH, { token });
    assert.equal(status, 200);
    assert.deepEqual([body.well, body.findings], [true, [{ part: 'database', ok: true, detail: 'PostgreSQL 17.2' }]]);
    assert.match(String(body.version), /^\d+\.\d+\.\d+/);
    assert.ok(Math.abs(Date.parse(String(body.time)) - Date.now()) < 60_000);
  });

  it('answers all the same where something is not well', async () => {
    api().support.findings = [{ part: 'database', ok: false, detail: 'does not answer' }];
    const { status, body } = await api().call('GET', PATH, { token: await adminToken() });
    assert.deepEqual([status, body.well], [200, false]);
  });

  it('tells nobody else', async () => {
    const owner = await api().call('GET', PATH, { token: await tokenOf('acct_42') });
    assert.deepEqual([owner.status, owner.body.code], [403, 'insufficient_scope']);
    assert.equal((await api().call('GET', PATH)).status, 401);
  });
});
