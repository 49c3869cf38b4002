import assert from 'node:assert/strict';
import { GENERATE_ASYNC_PATH, statusPath } from '../../src/contract/names.js';
import { useTestApi } from '../api/support/test-api.js';
import { adminToken, tokenOf } from '../api/support/tokens.js';
import { getRaw, sendRaw, statusOf } from './support/raw.js';

const EVIL = 'evil.example';
const BODY = '{"manual_prompt":"x"}';

describe('a header', () => {
  const api = useTestApi();

  const post = (headers: string) =>
    sendRaw(
      api().url,
      `POST ${GENERATE_ASYNC_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n${headers}\r\n${BODY}`,
    );
  const signedIn = async () => `Authorization: Bearer ${await tokenOf('acct-1')}\r\n`;

  it('with a bare CR, LF or NUL in it is refused before the service sees it', async () => {
    const bearer = await signedIn();
    for (const name of ['X-Request-Id', 'Idempotency-Key', 'X-Forwarded-Proto']) {
      for (const character of ['\r', '\n', '\0', '\r\n ']) {
        const answer = await post(`${bearer}${name}: a${character}Set-Cookie: hacked=1\r\n`);
        assert.doesNotMatch(answer, /^set-cookie: hacked/im);
        assert.equal(statusOf(answer), 400, `${name} ${JSON.stringify(character)}`);
      }
    }
  });

  it('of ours never has what a caller wrote in it, but for a sane X-Request-Id', async () => {
    const bearer = await signedIn();
    for (const id of ['a%0d%0aSet-Cookie:hacked=1', 'a\\r\\nSet-Cookie:hacked=1', 'a;b', '<script>', '\xff', 'é']) {
      const answer = await post(`${bearer}X-Request-Id: ${id}\r\nIdempotency-Key: hacked ${id}\r\n`);
      assert.equal(statusOf(answer), 202, id);
      assert.doesNotMatch(answer, /hacked|script|%0d/i);
      assert.match(answer, /^x-request-id: [0-9a-f-]{36}\r$/im);
    }
    const split = await getRaw(api().url, `/api/v1/account/%0d%0aSet-Cookie:%20hacked=1`);
    assert.doesNotMatch(split, /hacked/);
  });

  it('Host, and those that forward it, are believed for nothing: every link is a path', async () => {
    const headers = {
      Host: EVIL,
      'X-Forwarded-Host': EVIL,
      'X-Forwarded-Proto': 'https',
      'X-Original-URL': '/api/v1/admin/accounts/x/',
      'X-Rewrite-URL': '/api/v1/admin/accounts/x/',
      Forwarded: `host=${EVIL}`,
    };
    const asHeader = (name: string) => `${name}: ${headers[name as keyof typeof headers]}\r\n`;
    const started = await post((await signedIn()) + Object.keys(headers).slice(1).map(asHeader).join(''));
    assert.equal(statusOf(started), 202);
    assert.match(started, /^location: \/api\/v1\//im);
    assert.doesNotMatch(started, /evil/);
    const open = api().routes.filter(({ access }) => access === 'public');
    assert.ok(open.length > 5, 'the public routes are missing');
    for (const { path } of open) {
      const answer = await getRaw(api().url, path, headers);
      assert.doesNotMatch(answer, /evil\.example/, path);
      assert.doesNotMatch(answer, /^location:/im, path);
    }
  });

  it('that asks for another method changes nothing', async () => {
    const token = await tokenOf('acct-1');
    const { body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    const taskId = String(body.task_id);
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const headers = { [name]: 'DELETE' };
      const answer = await api().call('GET', `${statusPath(taskId)}?_method=DELETE`, { token, headers });
      assert.equal(answer.body.status, 'queued');
    }
    assert.deepEqual(api().generations.cancels, []);
  });
});

describe('a request that two servers could read as two', () => {
  const api = useTestApi();
  const smuggled = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

  for (const [what, headers, body] of [
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 40\r\n', smuggled],
    ['a length that is a list', 'Content-Length: 0, 40\r\n', smuggled],
    ['a length with a sign', 'Content-Length: +0\r\n', smuggled],
    ['a length that is hexadecimal', 'Content-Length: 0x5\r\n', smuggled],
    ['chunks that are not the last coding', 'Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`],
    ['chunks by another name', 'Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`],
    ['a space before the colon', 'Content-Length : 0\r\n', smuggled],
    ['a folded header', 'Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`],
    ['a chunk of a false size', 'Transfer-Encoding: chunked\r\n', `0x0\r\n\r\n${smuggled}`],
  ] as const) {
    it(`is refused and its connection closed: ${what}`, async () => {
      const answer = await sendRaw(
        api().url,
        `POST ${GENERATE_ASYNC_PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`,
      );
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assert.doesNotMatch(answer, /alive/, 'the second request was answered');
    });
  }
});

describe('the log', () => {
  const api = useTestApi();

  it('has one line a request, whatever characters a caller sends, and those as data', async () => {
    const forged = 'x\n{"level":60,"msg":"forged"}\r\n\u001b[31m\u2028';
    const path = `/api/v1/admin/accounts/${encodeURIComponent(forged)}/`;
    await api().call('PUT', path, { token: await adminToken(), body: { business_type: forged } });
    await api().call('GET', '/api/v1/account/', { token: await tokenOf(forged) });
    await api().call('GET', `/${encodeURIComponent(forged)}`);
    assert.equal(api().logLines.length, 3);
    assert.deepEqual(
      api().logLines.map(({ level, msg }) => [level, msg]),
      [1, 2, 3].map(() => [30, 'request']),
    );
    assert.equal(api().logLines[1]?.owner, forged);
  });

  it('has nothing of a body, a token, a cookie, a key or a search, also where the request fails', async () => {
    const secret = 'a-very-private-thing';
    const token = await tokenOf('acct-1', { private: secret, scope: 'admin' });
    const headers = {
      'Idempotency-Key': secret,
      Cookie: `generation=${secret}`,
      'X-Request-Id': `${secret} `.repeat(9),
    };
    const account = '/api/v1/admin/accounts/acct-1/';
    const call = (method: string, path: string, body?: unknown) => api().call(method, path, { token, headers, body });
    for (const body of [{ manual_prompt: secret }, { manual_prompt: [secret] }, `{"${secret}`, secret.repeat(9_000)]) {
      await call('POST', GENERATE_ASYNC_PATH, body);
    }
    await call('PUT', account, { business_type: secret });
    await call('PUT', account, { [secret]: secret });
    await call('POST', `${account}grants/`, { tokens: 5, reason: secret });
    await call('GET', `/api/v1/web-knowledge/generations/?q=${secret}`);
    await call('GET', `/${secret}?${secret}`);
    api().ledger.outage = new Error('the database is away');
    await call('PUT', account, { business_type: secret });
    api().generations.bug = new TypeError('a bug');
    await call('POST', GENERATE_ASYNC_PATH, { manual_prompt: secret });
    assert.ok(api().logLines.length >= 11, 'the log is missing');
    const log = JSON.stringify(api().logLines);
    assert.ok(!log.includes(secret), log);
    assert.ok(!log.includes(token.slice(0, 40)), 'a token is in the log');
  });
});
