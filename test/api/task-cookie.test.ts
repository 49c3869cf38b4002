import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import { GENERATE_ASYNC_PATH, GENERATE_PATH, statusPath } from '../../src/contract/names.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe("a task's cookie", () => {
  const api = useTestApi();

  const start = async (owner = 'acct-1', headers: Record<string, string> = {}) => {
    const token = await tokenOf(owner);
    const body = { manual_prompt: 'x' };
    const answer = await api().call('POST', GENERATE_ASYNC_PATH, { token, body, headers });
    const setCookie = answer.headers.get('set-cookie') ?? '';
    return { taskId: String(answer.body.task_id), setCookie, cookie: setCookie.split(';', 1)[0]! };
  };

  const attributesOf = (setCookie: string) => new Set(setCookie.toLowerCase().split('; ').slice(1));

  it("is for that task's status only, for no script and for no other site", async () => {
    const { taskId, setCookie } = await start();
    const attributes = attributesOf(setCookie);
    for (const attribute of [`path=${statusPath(taskId)}`, 'httponly', 'samesite=strict']) {
      assert.ok(attributes.has(attribute), `${attribute} is missing in ${setCookie}`);
    }
    assert.ok(!attributes.has('secure'));
  });

  it('is Secure where the request came by https, also through a proxy', async () => {
    for (const protocol of ['https', 'HTTPS', 'https, http']) {
      const { setCookie } = await start('acct-1', { 'X-Forwarded-Proto': protocol });
      assert.ok(attributesOf(setCookie).has('secure'), protocol);
    }
    const { setCookie } = await start('acct-1', { 'X-Forwarded-Proto': 'http' });
    assert.ok(!attributesOf(setCookie).has('secure'));
  });

  it('lets its task be polled with no other header, and says when it was made', async () => {
    const { taskId, cookie } = await start();
    const { status, body } = await api().call('GET', statusPath(taskId), { headers: { Cookie: `other=1; ${cookie}` } });
    assert.deepEqual([status, body.task_id], [200, taskId]);
    const caller = api().generations.callers[0];
    assert.ok(caller?.kind === 'task');
    assert.deepEqual([caller.taskId, caller.owner], [taskId, 'acct-1']);
    assert.ok(Math.abs(Date.parse(caller.startedAt) - Date.now()) < 60_000);
  });

  it('shows no other task, not even one of the same owner', async () => {
    const [mine, other] = [await start(), await start()];
    const answer = await api().call('GET', statusPath(other.taskId), { headers: { Cookie: mine.cookie } });
    assert.equal(answer.status, 401);
    assert.equal(answer.body.code, 'unauthorized');
  });

  it('counts for nothing beside a bad token', async () => {
    const { taskId, cookie } = await start();
    const headers = { Cookie: cookie };
    const { status, body } = await api().call('GET', statusPath(taskId), { headers, token: 'bad' });
    assert.deepEqual([status, body.code], [401, 'invalid_token']);
  });

  it('counts for nothing beside a good token of somebody else', async () => {
    const { taskId, cookie } = await start();
    const headers = { Cookie: cookie };
    assert.equal(
      (await api().call('GET', statusPath(taskId), { headers, token: await tokenOf('acct-2') })).status,
      404,
    );
  });

  it('cancels nothing and starts nothing', async () => {
    const { taskId, cookie } = await start();
    const headers = { Cookie: cookie };
    const body = { manual_prompt: 'x' };
    assert.equal((await api().call('DELETE', statusPath(taskId), { headers })).status, 401);
    assert.equal((await api().call('POST', `${statusPath(taskId)}cancel/`, { headers })).status, 401);
    assert.equal((await api().call('POST', GENERATE_ASYNC_PATH, { headers, body })).status, 401);
    assert.equal((await api().call('POST', GENERATE_PATH, { headers, body })).status, 401);
    assert.equal((await api().call('GET', '/api/v1/account/', { headers })).status, 401);
  });

  it('is no bearer token', async () => {
    const { cookie } = await start();
    const token = cookie.slice(cookie.indexOf('=') + 1);
    assert.equal((await api().call('GET', '/api/v1/account/', { token })).body.code, 'invalid_token');
  });

  it('is refused where it is expired, made by somebody else or for something else, or nonsense', async () => {
    const { taskId } = await start();
    const ours = new Uint8Array(32).fill(7);
    const make = (claims: object, key = ours) =>
      new SignJWT({ sub: 'acct-1', task: taskId, aud: 'task-status', iat: 1, exp: 9_999_999_999, ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(key);
    const read = async (value: string) =>
      (await api().call('GET', statusPath(taskId), { headers: { Cookie: `generation=${value}` } })).status;
    assert.equal(await read(await make({})), 200);
    for (const value of [
      await make({ exp: Math.floor(Date.now() / 1000) - 60 }),
      await make({}, new Uint8Array(32).fill(8)),
      await make({ aud: 'something-else' }),
      await make({ task: undefined }),
      await make({ sub: undefined }),
      'nonsense',
      'a.b.c',
      '',
    ]) {
      assert.equal(await read(value), 401);
    }
  });
});
