import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import { GENERATE_ASYNC_PATH, statusPath } from '../../src/contract/names.js';
import { PLAIN_CODEC_SERVER } from '../../src/encryption/codec-server.js';
import { useTestApi } from '../api/support/test-api.js';
import { SECRET, tokenOf } from '../api/support/tokens.js';
import { getRaw, statusOf } from './support/raw.js';

const EVIL = 'https://evil.example';
/** The one other site whose pages may read answers, and those of the codec only. */
const TEMPORAL_UI = 'https://temporal.example';

describe('a page of another site', () => {
  const api = useTestApi({ codec: { server: PLAIN_CODEC_SERVER, uiUrl: `${TEMPORAL_UI}/` } });

  /** Starts a task as its owner and returns its id and its cookie. */
  const start = async (owner = 'acct-1') => {
    const token = await tokenOf(owner);
    const { headers, body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    return { taskId: String(body.task_id), cookie: headers.get('set-cookie')!.split(';', 1)[0]! };
  };

  it("may read no answer: no route has a CORS header for any origin, but the codec's for the Temporal Web UI", async () => {
    const token = await tokenOf('acct-1', { scope: 'admin' });
    const allowed: string[] = [];
    for (const { method, path } of api().routes) {
      const address = path.replace(/\{\w+\}/, 'x');
      for (const origin of [EVIL, 'null', api().url, `${TEMPORAL_UI}.evil.example`, TEMPORAL_UI]) {
        const preflight = { Origin: origin, 'Access-Control-Request-Method': method.toUpperCase() };
        const asked = await fetch(api().url + address, { method: 'OPTIONS', headers: preflight });
        const answered = await api().call(method.toUpperCase(), address, { token, headers: { Origin: origin } });
        const cors = [asked, answered].map(({ headers }) => {
          assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path);
          return [...headers.keys()].filter((name) => name.startsWith('access-control-')).sort();
        });
        if (asked.status === 405) {
          assert.deepEqual(cors, [[], []], `${method} ${path} for ${origin}`);
        } else {
          allowed.push(`${method} ${path} for ${origin}: ${asked.status}`);
          assert.deepEqual(cors, [
            [
              'access-control-allow-headers',
              'access-control-allow-methods',
              'access-control-allow-origin',
              'access-control-max-age',
            ],
            ['access-control-allow-origin'],
          ]);
          for (const { headers } of [asked, answered]) {
            assert.equal(headers.get('access-control-allow-origin'), TEMPORAL_UI);
          }
        }
      }
    }
    const ofCodec = ['post /codec/decode', 'post /codec/encode'];
    assert.deepEqual(
      allowed,
      ofCodec.map((route) => `${route} for ${TEMPORAL_UI}: 204`),
    );
  });

  it('changes nothing with the cookie of a visitor, whatever it posts and as what', async () => {
    const { taskId, cookie } = await start();
    const writing = api().routes.filter(({ method }) => method !== 'get');
    assert.ok(writing.length >= 7, 'the routes that change something are missing');
    for (const { method, path } of writing) {
      const address = path.replace('{task_id}', taskId).replace(/\{\w+\}/, 'x');
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/json',
      ]) {
        const headers = { Cookie: cookie, Origin: EVIL, 'Content-Type': type, 'Sec-Fetch-Site': 'cross-site' };
        const body = '{"manual_prompt": "x"}';
        const { status, body: problem } = await api().call(method.toUpperCase(), address, { headers, body });
        assert.deepEqual([status, problem.code], [401, 'unauthorized'], `${method} ${path} as ${type}`);
      }
    }
    assert.equal(api().generations.starts.length, 1, 'only the visitor started a task');
    assert.deepEqual(api().generations.cancels, []);
  });

  it('can not post a form, even where the browser had a token to send', async () => {
    const token = await tokenOf('acct-1');
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/xml']) {
      const headers = { 'Content-Type': type };
      const answer = await api().call('POST', GENERATE_ASYNC_PATH, { token, headers, body: 'manual_prompt=x' });
      assert.equal(answer.status, 415, type);
    }
    assert.deepEqual(api().generations.starts, []);
  });
});

describe("a task's cookie and a bearer's token", () => {
  const api = useTestApi();

  const start = async (owner: string) => {
    const token = await tokenOf(owner);
    const { headers, body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    return { taskId: String(body.task_id), cookie: headers.get('set-cookie')!.split(';', 1)[0]! };
  };

  it('are never taken for each other, not even where the token claims what a cookie does', async () => {
    const { taskId, cookie } = await start('acct-1');
    const like = { task: taskId, aud: 'task-status', iat: Math.floor(Date.now() / 1000) };
    for (const token of [await tokenOf('acct-1'), await tokenOf('acct-1', like)]) {
      const headers = { Cookie: `generation=${token}` };
      assert.equal((await api().call('GET', statusPath(taskId), { headers })).status, 401);
    }
    const value = cookie.slice('generation='.length);
    for (const path of [statusPath(taskId), '/api/v1/account/', '/api/v1/web-knowledge/generations/']) {
      const answer = await api().call('GET', path, { token: value });
      assert.deepEqual([answer.status, answer.body.code], [401, 'invalid_token'], path);
    }
  });

  it('are not made by who knows only the secret of the tokens', async () => {
    const { taskId } = await start('acct-1');
    const forged = await new SignJWT({ task: taskId, sub: 'acct-1', aud: 'task-status', iat: 1, exp: 9_999_999_999 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
    const headers = { Cookie: `generation=${forged}` };
    assert.equal((await api().call('GET', statusPath(taskId), { headers })).status, 401);
  });

  it('show nothing of the task of another owner, also not by a path that leads from one to the other', async () => {
    const [mine, theirs] = [await start('acct-1'), await start('acct-2')];
    const headers = { Cookie: mine.cookie };
    assert.equal((await api().call('GET', statusPath(theirs.taskId), { headers })).status, 401);
    for (const path of [
      `${statusPath(mine.taskId)}../${theirs.taskId}/`,
      `${statusPath(mine.taskId)}..%2f${theirs.taskId}/`,
      `${statusPath(mine.taskId)}%2e%2e/${theirs.taskId}/`,
      `${statusPath(mine.taskId)};/../${theirs.taskId}/`,
      statusPath(`${mine.taskId}%00${theirs.taskId}`),
      `${statusPath(theirs.taskId)}?task_id=${mine.taskId}`,
    ]) {
      const answer = await getRaw(api().url, path, { Cookie: mine.cookie });
      assert.ok([401, 404].includes(statusOf(answer)), `${path}: ${answer}`);
      assert.doesNotMatch(answer, /"progress"/);
    }
  });

  it('guess no id: what is none, is another owner’s or never was is the same answer', async () => {
    const theirs = await start('acct-2');
    const token = await tokenOf('acct-1');
    const answers = new Set<string>();
    for (const id of [theirs.taskId, theirs.taskId.toUpperCase(), '0', "' OR 1=1 --", '*', 'null', '..%2f', '%00']) {
      const { status, body } = await api().call('GET', statusPath(id), { token });
      const { request_id, ...rest } = body;
      answers.add(JSON.stringify([status, rest]));
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
  });
});
