import assert from 'node:assert/strict';
import { Connection } from '@temporalio/client';
import { GENERATE_ASYNC_PATH, GENERATE_PATH, GENERATIONS_PATH } from '../../src/contract/names.js';
import { masterKeySetting } from '../encryption/support.js';
import { eventually } from '../support/eventually.js';
import { SECRET, tokenFor } from '../support/program.js';
import { TestService } from '../support/service.js';
import { startCanary, type Canary } from './support/canary.js';
import { startLeakyModel, WAYS_TO_FAIL } from './support/leaky-model.js';

const API_KEY = 'key-of-the-model-3f9a1c';
const OWNER = 'secrets-owner';
const PRIVATE = 'a-text-that-is-nobodys-business';
const MASTER_KEY = masterKeySetting();

for (const encrypted of [false, true])
  describe(`The whole service, ${encrypted ? 'encrypted' : 'not encrypted'}, with everything logged and a model that tells its key`, function () {
    this.timeout(700_000);
    let service: TestService;
    let model: Awaited<ReturnType<typeof startLeakyModel>>;
    let canary: Canary;
    let token: string;
    let cookie = '';
    /** Every answer, with its headers but for Set-Cookie. */
    const answers: string[] = [];
    /** Everything Temporal keeps and shows in its Web UI. */
    const kept: string[] = [];

    const call = async (method: string, path: string, body?: unknown, bearer = token) => {
      const response = await fetch(service.url + path, {
        method,
        headers: {
          Authorization: `Bearer ${bearer}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': PRIVATE + path,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      cookie ||= response.headers.getSetCookie()[0]?.split(';', 1)[0]?.slice('generation='.length) ?? '';
      const headers = [...response.headers].filter(([name]) => name !== 'set-cookie');
      answers.push(`${method} ${path} ${response.status} ${JSON.stringify(headers)} ${text}`);
      return { status: response.status, body: text };
    };

    /** Starts one and waits for its end. */
    const generate = async (text: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      const body = JSON.stringify({ manual_prompt: text });
      const started = await fetch(service.url + GENERATE_ASYNC_PATH, { method: 'POST', headers, body });
      cookie ||= started.headers.getSetCookie()[0]!.split(';', 1)[0]!.slice('generation='.length);
      const { status_url } = (await started.json()) as { status_url: string };
      await eventually(
        async () => {
          assert.match((await call('GET', status_url)).body, /"progress":100/);
        },
        { timeoutMs: 110_000, everyMs: 200 },
      );
    };

    before(async () => {
      [model, canary] = await Promise.all([startLeakyModel(), startCanary()]);
      service = await TestService.start({
        OPENAI_API_KEY: API_KEY,
        OPENAI_BASE_URL: model.baseUrl,
        LOG_LEVEL: 'trace',
        ...(encrypted ? { PAYLOAD_ENCRYPTION_KEYS: MASTER_KEY } : {}),
      });
      await service.api.open(OWNER, { tokens: 1_000_000 });
      token = await tokenFor(OWNER);
      const links = `${PRIVATE} ${canary.url}/a [b](${canary.url}/b) <img src="${canary.url}/c"> {{${canary.url}/d}}`;
      await Promise.all(['answers', ...WAYS_TO_FAIL].map((way) => generate(`${way} ${links}`)));
      await call('POST', GENERATE_PATH, { manual_prompt: `answers ${links}` });
      await call('POST', GENERATE_PATH, { manual_prompt: `refuses ${links}` });
      await call('GET', `${GENERATIONS_PATH}?limit=100`);
      await call('GET', `${GENERATIONS_PATH}?q=${PRIVATE}`);
      // What fails before it starts.
      await call('POST', GENERATE_ASYNC_PATH, { manual_prompt: [PRIVATE] });
      await call('POST', GENERATE_ASYNC_PATH, { manual_prompt: PRIVATE.repeat(2_000) });
      await call('GET', '/api/v1/account/', undefined, `${token}x`);
      await call('PUT', `/api/v1/admin/accounts/${OWNER}/`, { business_type: PRIVATE });
      for (const path of ['/', '/docs', '/openapi.json', '/page-config.json', '/readyz', '/nothing'])
        await call('GET', path);
      kept.push(...(await everythingTemporalKeeps(service.settings.TEMPORAL_DEV_PORT!)));
    });
    after(async () => {
      await service.stop();
      await Promise.all([model.stop(), canary.stop()]);
    });

    /** As text, as base64 and as part of a URL. */
    const formsOf = (secret: string) => [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('base64url'),
      encodeURIComponent(secret),
    ];
    const assertNone = (texts: string[], secrets: Record<string, string>) => {
      for (const [name, secret] of Object.entries(secrets)) {
        assert.ok(secret.length > 10, `${name} is missing`);
        for (const form of formsOf(secret)) {
          const found = texts.find((text) => text.includes(form));
          assert.equal(found, undefined, `${name} is in it`);
        }
      }
    };
    const secrets = () => ({
      'the key of the model': API_KEY,
      'the secret of the tokens': SECRET,
      "a caller's token": token,
      'the signature of a token': token.split('.')[2]!,
      "a task's cookie": cookie,
      'the master key': MASTER_KEY.split(':')[1]!,
    });

    it('has failed in every way and answered', () => {
      const statuses = answers.filter((answer) => answer.includes('"progress":100'));
      assert.ok(
        statuses.some((answer) => answer.includes('"generated_by_ai":true')),
        'nothing was generated',
      );
      assert.ok(
        statuses.some((answer) => answer.includes('"generated_by_ai":false')),
        'nothing failed',
      );
      const sign = encrypted ? 'binary/encrypted' : 'refuses';
      assert.ok(
        kept.some((text) => text.includes(sign)),
        'the histories are missing',
      );
    });

    it('tells no secret in any answer', () => {
      assertNone(answers, secrets());
    });

    it('writes no secret and no text of a user to its log', () => {
      const log = service.program.output();
      assert.match(log, /LlmUnavailable|The model answered 500/, 'the failures are missing in the log');
      assertNone([log], { ...secrets(), 'the text of a user': PRIVATE });
    });

    it('keeps no secret in Temporal, where the Web UI would show it', () => {
      assertNone(kept, { ...secrets(), ...(encrypted ? { 'the text of a user': PRIVATE } : {}) });
    });

    it('asks no address that a user wrote', () => {
      assert.deepEqual(canary.requests, []);
    });
  });

/** Histories, memos and descriptions of all runs, every payload as text, as it is kept. */
async function everythingTemporalKeeps(port: string): Promise<string[]> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  try {
    const { workflowService } = connection;
    const namespace = 'default';
    const texts: string[] = [];
    const { executions, nextPageToken } = await workflowService.listWorkflowExecutions({ namespace });
    assert.equal(nextPageToken.length, 0, 'there are more runs than one page has');
    for (const { execution } of executions) {
      const of = { namespace, execution: execution! };
      const history = await workflowService.getWorkflowExecutionHistory(of);
      assert.equal(history.nextPageToken.length, 0, 'a history is longer than one page');
      collectTexts(history, texts);
      collectTexts(await workflowService.describeWorkflowExecution(of), texts);
    }
    return texts;
  } finally {
    await connection.close();
  }
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      texts.push(name);
      collectTexts(member, texts);
    }
  }
}
