import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { readConfig } from '../../src/config.js';
import { ERRORS } from '../../src/api/errors.js';
import { GenerationStatus } from '../../src/api/generations/schemas.js';
import { startApi, type RunningApi } from '../../src/api/start-api.js';
import { PLAIN_CODEC_SERVER } from '../../src/encryption/codec-server.js';
import { GENERATE_ASYNC_PATH, GENERATE_PATH } from '../../src/contract/names.js';
import { createApiMetrics } from '../../src/metrics/api-metrics.js';
import { createCurrentRequest } from '../../src/simulator/current-request.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';
import { openSignIn } from '../../src/simulator/sign-in.js';
import { FakeSupport } from '../api/support/fake-support.js';
import { SECRET } from '../api/support/tokens.js';
import { asOwner, quiet } from '../generations/support.js';
import { eventually } from '../support/eventually.js';
import { useSimulator, type Started } from './support/simulator.js';

const LIMITED = 'At most 160 generations can be started in a minute. Please try again in 2 s.';

describe("The simulator's API", () => {
  const on = useSimulator();
  let api: RunningApi;
  let token: string;

  beforeEach(async () => {
    const request = createCurrentRequest();
    on.renew(request);
    const signIn = await openSignIn(on.ledger, undefined);
    token = signIn.token!;
    api = await startApi({
      metrics: createApiMetrics(),
      config: readConfig({ PORT: '0', METRICS_PORT: '0' }),
      auth: signIn.auth,
      generations: on.generations,
      ledger: on.ledger,
      support: new FakeSupport(),
      log: quiet,
      page: { demoModel: true, demoToken: token },
      codec: { server: PLAIN_CODEC_SERVER },
      leaveMs: 0,
      wrap: request.wrap,
    });
  });
  afterEach(() => api.stop());

  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
    fetch(api.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const generate = (manual_prompt: string, scenario = '', path = GENERATE_ASYNC_PATH) =>
    call('POST', path, scenario === '' ? {} : { 'X-Scenario': scenario }, { manual_prompt });
  const start = async (manual_prompt: string, scenario?: string) => {
    const answer = await generate(manual_prompt, scenario);
    assert.equal(answer.status, 202);
    const { task_id, status_url } = (await answer.json()) as { task_id: string; status_url: string };
    return { taskId: task_id, owner: 'demo', caller: asOwner('demo'), status_url };
  };
  const until = async (task: Started, outcome: string) => {
    while ((await on.generations.status(task.taskId, task.caller)).outcome !== outcome) await on.next(task);
  };

  it('takes the scenario from the header, else from the text', async () => {
    assert.equal((await generate('We sell shoes.', '429')).status, 429);
    assert.equal((await generate('We sell shoes for 500 euros.')).status, 500);
    await start('We sell shoes for 500 euros.', 'normal');
  });

  it('keeps the headers of requests at the same time apart', async () => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'X-Scenario': '429' };
    const first = httpRequest(api.url + GENERATE_ASYNC_PATH, { method: 'POST', headers });
    const answered = once(first, 'response') as Promise<[IncomingMessage]>;
    first.write('{"manual_prompt": ');
    // Another one comes and is answered while the body of the first is still on its way.
    assert.equal((await generate('We sell shoes.', '503')).status, 503);
    first.end('"We sell shoes."}');
    const [answer] = await answered;
    answer.resume();
    assert.equal(answer.statusCode, 429);
  });

  it('answers an unknown scenario with 400 and those there are', async () => {
    const answer = await generate('We sell shoes.', 'quick');
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    assert.deepEqual([answer.status, code], [400, 'invalid_request']);
    for (const { name } of SCENARIOS) assert.ok(detail.includes(name), name);
  });

  it('refuses a POST in the words and with the headers of the real error', async () => {
    for (const scenario of SCENARIOS) {
      if (!('refusedAs' in scenario)) continue;
      const { status, title, detail, headers = {} } = ERRORS[scenario.refusedAs];
      const limited = scenario.refusedAs === 'rate_limited';
      for (const path of [GENERATE_ASYNC_PATH, GENERATE_PATH]) {
        const answer = await generate('We sell shoes.', scenario.name, path);
        const body = (await answer.json()) as Record<string, unknown>;
        assert.deepEqual(
          [answer.status, body.title, body.detail, body.code],
          [status, title, limited ? LIMITED : detail, scenario.refusedAs],
        );
        assert.equal(answer.headers.get('ratelimit'), limited ? '"starts";r=0;t=2, "running";r=1000000' : null);
        assert.equal(
          answer.headers.get('ratelimit-policy'),
          '"starts";q=160;w=60, "running";q=120;qu="concurrent-requests"',
        );
        for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers.get(name), value, name);
      }
    }
  });

  it('cuts each connection that asks for an offline task, answers every other request, and is back', async () => {
    const task = await start('We sell shoes.', 'offline');
    await until(task, 'unavailable');
    await assert.rejects(call('GET', task.status_url), TypeError);
    await assert.rejects(call('POST', `${task.status_url}cancel/`), TypeError);
    await assert.rejects(call('DELETE', task.status_url), TypeError);
    assert.equal((await call('GET', '/api/v1/account/')).status, 200);
    await until(task, 'found');
    assert.equal((await call('GET', task.status_url)).status, 200);
  });

  it('cuts the connection of whoever waits for an offline task', async () => {
    const waiting = assert.rejects(generate('We sell shoes.', 'offline', GENERATE_PATH), TypeError);
    await eventually(() => {
      assert.equal(on.time.resting, 1);
    });
    for (let moments = 0; moments < 4; moments += 1) {
      on.time.pass();
      await eventually(() => {
        assert.equal(on.time.resting, 1);
      });
    }
    await waiting;
  });

  it('answers 503 with Retry-After for a task that is down', async () => {
    const task = await start('We sell shoes.', 'down');
    await until(task, 'unavailable');
    const answer = await call('GET', task.status_url);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '2']);
    assert.equal(((await answer.json()) as { code: string }).code, 'unavailable');
    await until(task, 'found');
    assert.equal((await call('GET', task.status_url)).status, 200);
  });

  it('marks a stale status as the document describes it', async () => {
    const task = await start('We sell shoes.', 'stale');
    const read = async () => (await (await call('GET', task.status_url)).json()) as Record<string, unknown>;
    assert.equal((await read()).stale, undefined);
    for (let moments = 0; moments < 4; moments += 1) await on.next(task);
    const status = await read();
    assert.equal(status.stale, true);
    assert.deepEqual(GenerationStatus.parse(status), status);
  });

  it('answers 404 for an expired task, as for one that never was', async () => {
    const task = await start('We sell shoes.', 'expired');
    assert.equal((await call('GET', task.status_url)).status, 200);
    await until(task, 'not_found');
    const answer = await call('GET', task.status_url);
    assert.equal(answer.status, 404);
    assert.equal(((await answer.json()) as { status: string }).status, 'not_found');
  });

  it('gives a page on this machine a token that is the same at each start and never expires', async () => {
    const config = (await (await call('GET', '/page-config.json')).json()) as Record<string, unknown>;
    assert.deepEqual(config, { demo_model: true, demo_token: token });
    assert.equal((await openSignIn(on.ledger, undefined)).token, token);
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object;
    assert.deepEqual(claims, { sub: 'demo' });
  });

  it('takes the settings for tokens where they are given, and makes no token then', async () => {
    const given = { kind: 'secret' as const, secret: SECRET };
    assert.deepEqual(await openSignIn(on.ledger, given), { auth: given, token: null });
  });
});
