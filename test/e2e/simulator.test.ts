import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { ERRORS } from '../../src/api/errors.js';
import { FAILURE_CODES, wordsFor, type Failure, type FailureCode } from '../../src/contract/failures.js';
import { BODY_MAX_BYTES, IDEMPOTENCY_KEY_MAX_CHARS, MANUAL_PROMPT_MAX_CHARS } from '../../src/contract/limits.js';
import { GENERATE_ASYNC_PATH, GENERATE_PATH, GENERATIONS_PATH, statusPath } from '../../src/contract/names.js';
import { COMPLETED_MESSAGE, FALLBACK_MESSAGE, STEPS } from '../../src/contract/steps.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';
import { ApiClient, type Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { refusesWith, says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';
import { ownPlace, ownPort } from '../support/place.js';
import { runProgram, SECRET, tokenFor, untilReady, type Program } from '../support/program.js';
import { Talk, type Answer, type Ask, type Exchange } from '../support/talk.js';

const GRANTED = 10_000;
/** Talks at the same time. */
const LANES = 6;
const PAST = new Date(Date.now() - 60_000).toISOString();
const REFUSALS = [
  'insufficient_tokens',
  'no_tokens_remaining',
  'no_subscription',
  'subscription_expired',
  'subscription_deactivated',
] as const;

/** How a generation goes: each side has its own way to bring it about. */
type Way = 'well' | 'stays at 50' | 'stays at 70' | 'retries' | 'falls back' | (typeof REFUSALS)[number];

/** The simulator brings it about by a scenario. */
const SCENARIO_OF: Record<Way, string> = {
  well: 'fast',
  'stays at 50': 'stuck',
  'stays at 70': 'slow',
  retries: 'retrying',
  'falls back': 'fallback',
  ...(Object.fromEntries(REFUSALS.map((code) => [code, code])) as Record<(typeof REFUSALS)[number], string>),
};

/** The real service does by the account … */
const ACCOUNT_OF: Partial<Record<Way, Parameters<ApiClient['open']>[1]>> = {
  insufficient_tokens: { tokens: 250 },
  no_tokens_remaining: { tokens: 0 },
  no_subscription: { tokens: GRANTED, subscription: { status: 'none' } },
  subscription_expired: { tokens: GRANTED, subscription: { status: 'active', expires_at: PAST } },
  subscription_deactivated: { tokens: GRANTED, subscription: { status: 'deactivated' } },
};

/** … and by what the test's model does with the first word of the text. */
const TEXT_OF: Partial<Record<Way, string>> = {
  'stays at 50': 'silent',
  'stays at 70': 'long',
  retries: 'flaky',
  'falls back': 'refused',
};

describe('The simulator and the real service', function () {
  this.timeout(700_000);
  let folder: string;
  let llm: TestLlm;
  let silence: Gate;
  const real = {} as Side;
  const simulator = {} as Side;

  interface Side {
    api: ApiClient;
    program: Program;
    /** Each progress, status and message that a status had. */
    seen: Set<string>;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-simulator-'));
    silence = gate();
    const attempts = new Map<string, number>();
    llm = await startTestLlm(async (_, request) => {
      const text = userText(request);
      const attempt = (attempts.get(text) ?? 0) + 1;
      attempts.set(text, attempt);
      if (text.startsWith('silent')) await silence.opened;
      if (text.startsWith('flaky') && attempt <= 2) return refusesWith(503);
      if (text.startsWith('refused')) return refusesWith(401);
      return says(text.startsWith('long') ? 'word '.repeat(90) : 'You are the assistant of a shoe store.');
    });
    const { baseUrl, apiKey, model } = llm.config;
    const place = await ownPlace(folder);
    const settings = { AUTH_JWT_SECRET: SECRET, LOG_LEVEL: 'warn' };
    Object.assign(real, {
      api: new ApiClient(() => `http://127.0.0.1:${place.PORT}`),
      program: runProgram('dist/dev/main.js', {
        ...place,
        ...settings,
        OPENAI_BASE_URL: baseUrl,
        OPENAI_API_KEY: apiKey,
        OPENAI_MODEL: model,
      }),
      seen: new Set(),
    });
    const PORT = await ownPort();
    Object.assign(simulator, {
      api: new ApiClient(() => `http://127.0.0.1:${PORT}`),
      program: runProgram('dist/simulator/main.js', { ...settings, PORT, METRICS_PORT: await ownPort() }),
      seen: new Set(),
    });
    for (const { api, program } of [real, simulator]) await untilReady(api.url(), program);
  });
  after(async () => {
    silence.open();
    const codes = await Promise.all([real, simulator].map(({ program }) => program.stop()));
    await llm.stop();
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(codes, [0, 0], 'both stopped cleanly');
  });

  /** What one owner says to one side. The owners of a conversation have the same names on both sides. */
  class Conversation extends Talk {
    constructor(
      readonly side: Side,
      readonly owner: string,
      readonly other: string,
    ) {
      super(side.api.url(), GRANTED);
    }

    as = (owner = this.owner, scope = ''): Promise<string> => tokenFor(owner, scope);

    override async peek(method: string, path: string, ask: Ask = {}): Promise<Answer> {
      const answer = await super.peek(method, path, ask);
      const { progress, status, message } = answer.body as Partial<Status>;
      if (progress !== undefined) this.side.seen.add(triple(progress, status!, message!));
      return answer;
    }

    /** Opens the owner's account, so that generations go this way, and gives the request for one. */
    async bringAbout(way: Way): Promise<{ headers: Record<string, string>; body: { manual_prompt: string } }> {
      const account = this.side === real ? ACCOUNT_OF[way] : undefined;
      await this.side.api.open(this.owner, account ?? { tokens: GRANTED });
      return {
        headers: { 'X-Scenario': SCENARIO_OF[way] },
        body: { manual_prompt: `${TEXT_OF[way] ?? 'kind'} ${this.owner}` },
      };
    }

    /** Starts one that goes this way, and gives its status path. */
    async start(way: Way, headers: Record<string, string> = {}): Promise<string> {
      const request = await this.bringAbout(way);
      const answer = await this.ask('POST', GENERATE_ASYNC_PATH, {
        token: await this.as(),
        body: request.body,
        headers: { ...request.headers, ...headers },
      });
      assert.equal(answer.status, 202);
      return (answer.body as { status_url: string }).status_url;
    }

    /** Asks until the answer is as wanted, and keeps only that one. */
    async until(path: string, wanted: (status: Status) => boolean = () => true): Promise<void> {
      await eventually(
        async () => {
          const answer = await this.peek('GET', path, { token: await this.as() });
          const text = JSON.stringify(answer.body);
          // A busy machine may answer late, and the real service then says so.
          assert.ok(wanted(answer.body as unknown as Status) && !text.includes('"stale"'), text);
          this.keep(`GET ${path}`, answer);
        },
        { timeoutMs: 110_000 },
      );
    }

    untilEnded = (path: string) => this.until(path, ({ progress }) => progress === 100);
  }

  type Talking = (conversation: Conversation) => Promise<void>;
  const talks: { talk: Talking; both?: Promise<Exchange[]>[] }[] = [];

  before('talk to both: the talks mostly wait for something, and need not wait for each other', async () => {
    const waiting = [...talks];
    const lane = async (): Promise<void> => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const { talk } = one;
        const [owner, other] = [randomUUID(), randomUUID()];
        one.both = [real, simulator].map(async (side) => {
          const conversation = new Conversation(side, owner, other);
          await talk(conversation);
          return conversation.exchanges;
        });
        // What fails fails in the test of that talk.
        await Promise.allSettled(one.both);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  });

  /** A test: both sides are talked to, and must have answered alike. */
  const alike = (title: string, talk: Talking) => {
    const one: (typeof talks)[number] = { talk };
    talks.push(one);
    it(`answer alike: ${title}`, async () => {
      const [ofReal, ofSimulator] = await Promise.all(one.both!);
      assert.ok(ofReal!.length > 0);
      assert.deepEqual(ofSimulator, ofReal);
    });
  };

  alike('a start, its headers and its cookie', async (on) => {
    const { headers, body } = await on.bringAbout('well');
    const token = await on.as();
    const post = (ask: Ask, path = GENERATE_ASYNC_PATH) => on.ask('POST', path, { token, ...ask });
    await post({ headers, body });
    await post({ headers, body }, GENERATE_ASYNC_PATH.replace(/\/$/, ''));
    await post({ headers: { ...headers, 'X-Forwarded-Proto': 'https' }, body });
    await post({ headers: { ...headers, 'Content-Type': 'text/plain' }, body: JSON.stringify(body) });
    await post({ headers, body: new TextEncoder().encode(JSON.stringify(body)) });
    await post({ headers: { ...headers, 'X-Request-Id': 'my-request.1' }, body: { ...body, more: 1 } });
  });

  alike('a repeated start, a reused key, and bad keys', async (on) => {
    const { headers, body } = await on.bringAbout('stays at 50');
    const token = await on.as();
    const post = (key: string, as = token, what: unknown = body) =>
      on.ask('POST', GENERATE_ASYNC_PATH, { token: as, headers: { ...headers, 'Idempotency-Key': key }, body: what });
    await post('k');
    await post('k');
    await post('k', token, { manual_prompt: 'another one' });
    await post('k', await on.as(on.other));
    await post('k'.repeat(IDEMPOTENCY_KEY_MAX_CHARS));
    await post('k'.repeat(IDEMPOTENCY_KEY_MAX_CHARS + 1));
    await post('');
  });

  alike('a repeated start of a task that has ended', async (on) => {
    const key = { 'Idempotency-Key': 'k' };
    const path = await on.start('well', key);
    await on.untilEnded(path);
    await on.start('well', key);
    const { headers } = await on.bringAbout('well');
    const token = await on.as();
    await on.ask('POST', GENERATE_ASYNC_PATH, { token, headers: { ...headers, ...key }, body: { manual_prompt: 'b' } });
    await on.untilEnded(path);
  });

  alike('bad bodies of every kind', async (on) => {
    const token = await on.as();
    const json = { 'Content-Type': 'application/json' };
    const bodies: Ask[] = [
      ...[{}, { manual_prompt: '' }, { manual_prompt: ' \n\0' }, { manual_prompt: 7 }, { manual_prompt: null }].map(
        (body) => ({ body }),
      ),
      { body: { manual_prompt: 'x'.repeat(MANUAL_PROMPT_MAX_CHARS + 1) } },
      { body: { manual_prompt: 'x'.repeat(BODY_MAX_BYTES) } },
      ...['', '{', 'null', '[]', '"text"', '7', '{"manual_prompt": "a"'].map((body) => ({ body, headers: json })),
      { body: 'manual_prompt=a', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      { body: '<a/>', headers: { 'Content-Type': 'text/html' } },
      {},
    ];
    for (const path of [GENERATE_ASYNC_PATH, GENERATE_PATH]) {
      for (const body of bodies) await on.ask('POST', path, { token, ...body });
    }
  });

  alike('who may call', async (on) => {
    const path = await on.start('well');
    await on.untilEnded(path);
    const sign = (claims: object, secret = SECRET) =>
      new SignJWT({ sub: on.owner, ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(secret));
    const [head, claims] = (await on.as()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const tokens = [
      undefined,
      '',
      'no-token',
      await sign({ exp: 1 }),
      await sign({}, 'the secret of somebody else, 32 characters long'),
      await sign({ sub: '' }),
      `${none}.${claims!}.`,
      `${head!}.${claims!}.`,
    ];
    for (const token of tokens) {
      await on.ask('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'a' } });
      await on.ask('POST', GENERATE_PATH, { token, body: { manual_prompt: 'a' } });
      await on.ask('GET', path, { token });
      await on.ask('POST', `${path}cancel/`, { token });
      await on.ask('DELETE', path, { token });
      await on.ask('GET', '/api/v1/account/', { token });
    }
    await on.ask('GET', `/api/v1/admin/accounts/${on.owner}/`, { token: await on.as() });
  });

  alike('the status at 50 and at 70', async (on) => {
    await on.until(await on.start('stays at 50'), ({ progress }) => progress === 50);
    await on.until(await on.start('stays at 70'), ({ progress }) => progress === 70);
    await on.ask('GET', '/api/v1/account/', { token: await on.as(on.other) });
  });

  alike('the status of a generation whose AI is asked again', async (on) => {
    const path = await on.start('retries');
    await on.until(path, ({ detail }) => detail?.attempt === 2);
    await on.until(path, ({ detail }) => detail?.attempt === 3);
    await on.untilEnded(path);
  });

  alike('the end, the account and the ledger', async (on) => {
    const path = await on.start('well');
    await on.untilEnded(path);
    const token = await on.as();
    await on.ask('GET', path.replace(/\/$/, ''), { token });
    await on.ask('POST', `${path}cancel/`, { token });
    await on.ask('DELETE', path, { token });
    await on.ask('GET', '/api/v1/account/', { token });
    await on.ask('GET', `/api/v1/admin/accounts/${on.owner}/ledger/`, { token: await on.as('admin', 'admin') });
  });

  alike("the list of an owner's generations", async (on) => {
    await on.untilEnded(await on.start('well'));
    await on.until(await on.start('stays at 50'), ({ progress }) => progress === 50);
    const token = await on.as();
    const queries = [
      '',
      'limit=1',
      'status=processing',
      'status=completed',
      'status=failed',
      'q=SILENT',
      'q=none+such',
    ];
    for (const query of queries) await on.until(`${GENERATIONS_PATH}?${query}`);
    for (const query of ['limit=0', 'status=queued', 'cursor=mine', 'q=%00']) {
      await on.ask('GET', `${GENERATIONS_PATH}?${query}`, { token });
    }
    const page = await on.peek('GET', `${GENERATIONS_PATH}?limit=1`, { token });
    const { next_cursor } = page.body as { next_cursor: string };
    on.keep('the next page', await on.peek('GET', `${GENERATIONS_PATH}?limit=1&cursor=${next_cursor}`, { token }));
    await on.ask('GET', GENERATIONS_PATH, { token: await on.as(on.other) });
    await on.ask('GET', GENERATIONS_PATH);
  });

  for (const way of ['falls back', ...REFUSALS] as const) {
    alike(
      `a generation that ${way === 'falls back' ? way : `is refused as ${way}`}, polled and waited for`,
      async (on) => {
        const path = await on.start(way);
        await on.untilEnded(path);
        const request = await on.bringAbout(way);
        const token = await on.as();
        await on.ask('POST', GENERATE_PATH, { token, ...request });
        await on.ask('POST', `${path}cancel/`, { token });
      },
    );
  }

  alike('the blocking endpoint, repeated, and with a reused key', async (on) => {
    const { headers, body } = await on.bringAbout('well');
    const token = await on.as();
    const post = (key: string, what: unknown = body) =>
      on.ask('POST', GENERATE_PATH, { token, headers: { ...headers, 'Idempotency-Key': key }, body: what });
    await post('k');
    const { task_id } = (await post('k')).body as { task_id: string };
    await post('k', { manual_prompt: 'another one' });
    await on.ask('GET', statusPath(task_id), { token });
    await on.ask('GET', '/api/v1/account/', { token });
  });

  alike('whoever waits for a generation that is cancelled', async (on) => {
    const { headers, body } = await on.bringAbout('stays at 50');
    const token = await on.as();
    const request = { token, headers: { ...headers, 'Idempotency-Key': 'k' }, body };
    const waiting = on.peek('POST', GENERATE_PATH, request);
    const path = await eventually(async () => {
      const list = await on.peek('GET', GENERATIONS_PATH, { token });
      const [started] = (list.body as { generations: { status_url: string }[] }).generations;
      assert.ok(started, 'the waiting request has started its task');
      return started.status_url;
    });
    await on.until(path, ({ progress }) => progress === 50);
    await on.peek('DELETE', path, { token });
    on.keep(`POST ${GENERATE_PATH}`, await waiting);
  });

  for (const [method, suffix] of [
    ['POST', 'cancel/'],
    ['DELETE', ''],
  ] as const) {
    alike(`${method}: a cancellation, repeated`, async (on) => {
      const path = await on.start('stays at 70');
      const token = await on.as();
      await on.until(path, ({ progress }) => progress === 70);
      const cancel = () => on.peek(method, path + suffix, { token });
      // Whether the task has ended by then is a matter of time: of these two only the status is compared.
      const codes = [(await cancel()).status, (await cancel()).status];
      assert.deepEqual(codes, [202, 200]);
      await on.untilEnded(path);
      await on.ask(method, path + suffix, { token });
      await on.ask('GET', '/api/v1/account/', { token });
    });
  }

  alike("tasks that never were, or are another owner's", async (on) => {
    const path = await on.start('stays at 50');
    const stranger = await on.as(on.other);
    for (const [at, token] of [
      [path, stranger],
      [statusPath(randomUUID()), await on.as()],
      [statusPath('no-id'), await on.as()],
      [statusPath('%00'), await on.as()],
      [statusPath('%ZZ'), await on.as()],
    ] as const) {
      await on.ask('GET', at, { token });
      await on.ask('POST', `${at}cancel/`, { token });
      await on.ask('DELETE', at, { token });
    }
  });

  alike("polling with a task's cookie", async (on) => {
    const { headers, body } = await on.bringAbout('well');
    const token = await on.as();
    const started = await on.ask('POST', GENERATE_ASYNC_PATH, { token, headers, body });
    const { status_url: path } = started.body as { status_url: string };
    await on.untilEnded(path);
    const cookie = { Cookie: started.headers.get('set-cookie')!.split(';', 1)[0]! };
    await on.ask('GET', path, { headers: cookie });
    await on.ask('GET', path, { headers: cookie, token: 'no-token' });
    await on.ask('GET', path, { headers: { Cookie: 'generation=no-cookie' } });
    await on.ask('GET', await on.start('well'), { headers: cookie });
    await on.ask('POST', `${path}cancel/`, { headers: cookie });
    await on.ask('DELETE', path, { headers: cookie });
    await on.ask('POST', GENERATE_ASYNC_PATH, { headers: cookie, body });
  });

  alike('accounts, grants, ledger, templates and what is written down of them', async (on) => {
    const token = await on.as('admin', 'admin');
    const path = `/api/v1/admin/accounts/${on.owner}/`;
    const grants = `${path}grants/`;
    const grant = (key: string | undefined, body: object) =>
      on.ask('POST', grants, { token, headers: key === undefined ? {} : { 'Idempotency-Key': key }, body });
    await on.ask('GET', '/api/v1/account/', { token: await on.as() });
    await on.ask('GET', path, { token });
    await on.ask('GET', `${path}ledger/`, { token });
    await grant('k', { tokens: 10, reason: 'too early' });
    await on.ask('PUT', path, { token, body: { business_type: 'Shoe shop', subscription: { status: 'active' } } });
    await on.ask('PUT', path, { token, body: { subscription: { status: 'rich' }, more: 1 } });
    await grant('k', { tokens: 10, reason: 'a' });
    await grant('k', { tokens: 10, reason: 'a' });
    await grant('k', { tokens: 11, reason: 'a' });
    await grant(undefined, { tokens: 10, reason: 'a' });
    await grant('l', { tokens: -10, reason: '' });
    await grant('m', { tokens: 20, reason: 'b' });
    await on.ask('GET', path, { token });
    await on.ask('GET', '/api/v1/account/', { token: await on.as() });
    const page = await on.ask('GET', `${path}ledger/?limit=1`, { token });
    const { next_cursor } = page.body as { next_cursor: string };
    on.keep('the next page', await on.peek('GET', `${path}ledger/?limit=1&cursor=${next_cursor}`, { token }));
    for (const query of ['?limit=0', '?limit=many', '?cursor=mine'])
      await on.ask('GET', `${path}ledger/${query}`, { token });
    const template = `/api/v1/admin/prompt-templates/${on.other}/`;
    for (const text of ['One.', 'One.', 'Two.', '']) await on.ask('PUT', template, { token, body: { template: text } });
    const actions = await on.ask('GET', `/api/v1/admin/actions/?target=${on.owner}`, { token });
    const done = (actions.body as { actions: { action: string }[] }).actions.map(({ action }) => action);
    assert.deepEqual(done, ['grant_tokens', 'grant_tokens', 'put_account']);
    await on.ask('GET', `/api/v1/admin/actions/?target=${on.other}`, { token });
  });

  alike('the service itself', async (on) => {
    for (const path of [
      '/livez',
      '/readyz',
      '/openapi.json',
      '/docs',
      '/',
      '/nothing',
      '/api/v1/',
      '/%ZZ',
      '/metrics',
    ]) {
      await on.ask('GET', path);
    }
    await on.ask('HEAD', '/livez');
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) await on.ask(method, GENERATE_ASYNC_PATH);
    await on.ask('PUT', statusPath(randomUUID()));
    const { headers } = await on.ask('GET', '/openapi.json');
    await on.ask('GET', '/openapi.json', { headers: { 'If-None-Match': headers.get('etag')! } });
  });

  it('tell the page of different set-ups, with the same headers', async () => {
    const [ofReal, ofSimulator] = await Promise.all(
      [real, simulator].map(async (side) => {
        const talk = new Talk(side.api.url(), 0);
        await talk.ask('GET', '/page-config.json');
        return talk.exchanges[0]!;
      }),
    );
    assert.deepEqual(ofSimulator!.headers, ofReal!.headers);
    assert.deepEqual(Object.keys(ofReal!.body as object), ['demo_model', 'temporal_runs_url']);
    assert.deepEqual(ofSimulator!.body, { demo_model: true });
  });

  it('show the progress, status and message of the contract: the simulator all of them, and neither any other', async () => {
    const { api, seen } = simulator;
    const owner = randomUUID();
    await api.open(owner, { tokens: 1_000_000 });
    const start = (name: string) => api.start(owner, 'We sell shoes.', { 'X-Scenario': name });
    const note = ({ progress, status, message }: Status) => seen.add(triple(progress, status, message));
    const names = ['normal', 'fallback', 'internal', 'timed_out', ...REFUSALS];
    const ends = await Promise.all(
      names.map(async (name) => {
        const states: Status[] = [];
        const end = await api.untilEnded(owner, await start(name), states);
        [...states, end].forEach(note);
        return end;
      }),
    );
    for (const code of ['internal', 'timed_out'] as const) assertFailed(ends[names.indexOf(code)]!, code);

    assert.deepEqual([...seen].sort(), [...TRIPLES].sort());
    for (const one of real.seen) assert.ok(TRIPLES.has(one), one);
  });

  it('know the failures of the blocking endpoint that only the simulator can bring about', async () => {
    const owner = randomUUID();
    await simulator.api.open(owner, { tokens: GRANTED });
    const wait = async (code: 'internal' | 'timed_out') => {
      const request = { as: owner, headers: { 'X-Scenario': code }, body: { manual_prompt: 'x' } };
      const answer = await simulator.api.call('POST', GENERATE_PATH, request);
      const { message, error, code: named } = (await answer.json()) as Record<string, unknown>;
      const words = wordsFor({ code });
      assert.deepEqual([answer.status, message, error, named], [ERRORS[code].status, words.message, words.error, code]);
    };
    await Promise.all([wait('internal'), wait('timed_out')]);
  });
});

describe('The simulator by itself', function () {
  this.timeout(60_000);
  const main = 'dist/simulator/main.js';
  let program: Program | undefined;
  afterEach(() => program?.kill());

  it('says where it is, who may call and what there is, nothing of Temporal, and takes the token that it prints', async () => {
    const tokens: string[] = [];
    for (let starts = 0; starts < 2; starts += 1) {
      const PORT = await ownPort();
      const url = `http://127.0.0.1:${PORT}`;
      const started = (program = runProgram(main, { PORT, METRICS_PORT: await ownPort() }));
      await untilReady(url, started);
      const said = await eventually(() => {
        assert.match(started.output(), /TOKEN=\S+\n/);
        return started.output();
      });
      for (const { name, description } of SCENARIOS) assert.ok(said.includes(description), name);
      for (const address of [`${url}/\n`, `${url}/docs\n`]) assert.ok(said.includes(address), address);
      const token = /TOKEN=(\S+)/.exec(said)![1]!;
      tokens.push(token);
      const account = await fetch(`${url}/api/v1/account/`, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(((await account.json()) as { tokens: { available: number } }).tokens.available, 1_000_000);
      const config = (await (await fetch(`${url}/page-config.json`)).json()) as object;
      assert.deepEqual(config, { demo_model: true, demo_token: token });
      assert.equal(await started.stop(), 0);
      assert.doesNotMatch(started.output(), /temporal/i);
    }
    assert.equal(tokens[0], tokens[1]);
  });

  it('does not start in production', async () => {
    program = runProgram(main, { NODE_ENV: 'production', PORT: await ownPort() });
    assert.equal(await program.exited, 1);
    assert.match(program.output(), /NODE_ENV=production: the simulator generates nothing/);
  });
});

const triple = (progress: number, status: string, message: string): string => `${progress} ${status} ${message}`;

/** Every one that the contract has. */
const TRIPLES = new Set([
  ...Object.values(STEPS).map(({ progress, status, message }) => triple(progress, status, message)),
  triple(100, 'completed', COMPLETED_MESSAGE),
  triple(100, 'completed', FALLBACK_MESSAGE),
  ...FAILURE_CODES.map((code) => triple(100, 'failed', wordsFor({ code } as Failure).message)),
]);

function assertFailed(status: Status, code: FailureCode): void {
  const { error, action } = wordsFor({ code } as Failure);
  assert.deepEqual([status.error_code, status.error, status.action], [code, error, action]);
}
