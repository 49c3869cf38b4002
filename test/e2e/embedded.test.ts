import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENERATIONS_PATH } from '../../src/contract/names.js';
import { hasEnded } from '../../src/dev/processes.js';
import { ApiClient, type Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { refusesWith, says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';
import { ownPlace } from '../support/place.js';
import { runProgram, SECRET, untilReady, type Program } from '../support/program.js';

const NPM_START = 'dist/dev/main.js';
const PROMPT = 'You are the assistant of a shoe store.';

describe('The service', function () {
  this.timeout(700_000);
  let folder: string;
  let place: Awaited<ReturnType<typeof ownPlace>>;
  let program: Program;
  let llm: TestLlm;
  /** Decides by the owner's text how the model answers. */
  let attempts: Map<string, number>;
  let slow: Gate;
  const api = new ApiClient(() => `http://127.0.0.1:${place.PORT}`);

  const startService = async () => {
    program = runProgram(NPM_START, {
      ...place,
      OPENAI_BASE_URL: llm.config.baseUrl,
      OPENAI_API_KEY: llm.config.apiKey,
      OPENAI_MODEL: llm.config.model,
      AUTH_JWT_SECRET: SECRET,
    });
    await untilReady(api.url(), program);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-service-'));
    place = await ownPlace(folder);
    attempts = new Map();
    slow = gate();
    llm = await startTestLlm(async (_, request) => {
      const text = userText(request);
      const attempt = (attempts.get(text) ?? 0) + 1;
      attempts.set(text, attempt);
      if (text.startsWith('slow')) await slow.opened;
      if (text.startsWith('flaky') && attempt <= 2) return refusesWith(503);
      if (text.startsWith('refused')) return refusesWith(401);
      return says(text.startsWith('long') ? 'word '.repeat(30) : PROMPT);
    });
    await startService();
  });
  after(async () => {
    slow.open();
    await program.stop();
    await llm.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const owner = async (tokens = 10_000, account = {}): Promise<string> => {
    const name = randomUUID();
    await api.open(name, { tokens, ...account });
    return name;
  };
  const callsFor = (text: string) => attempts.get(text) ?? 0;

  it('leads a generation from the request to the prompt, through steps that never go back', async () => {
    const name = await owner();
    const text = `slowly ${randomUUID()}`;
    const task = await api.start(name, text);
    await api.untilProgress(name, task, 50);
    assert.equal((await api.account(name)).tokens.held > 700, true);
    slow.open();
    const end = await api.untilEnded(name, task);
    assert.equal(end.status, 'completed');
    assert.equal(end.message, 'Prompt generated successfully');
    assert.equal(end.prompt, PROMPT);
    assert.equal(end.generated_by_ai, true);
    assert.deepEqual(end.tokens, { charged: 150, available: 9_850 });
    assert.deepEqual((await api.account(name)).tokens, { balance: 9_850, held: 0, available: 9_850 });
    slow = gate();
  });

  it('builds on the template of the business type, whatever its case', async () => {
    const type = `Shoe shop ${randomUUID()}`;
    const name = await owner(10_000, { business_type: type.toUpperCase() });
    const admin = { as: 'admin', scope: 'admin' };
    const body = { template: 'You advise people with sore feet.' };
    await api.json('PUT', `/api/v1/admin/prompt-templates/${encodeURIComponent(type)}/`, { ...admin, body });
    const text = randomUUID();
    await api.untilEnded(name, await api.start(name, text));
    const sent = llm.requests().find((request) => userText(request) === text);
    assert.match(JSON.stringify(sent?.messages[0]), /You advise people with sore feet\./);
    const refused = await api.untilEnded(name, await api.start(name, 'refused: be kind'));
    assert.equal(refused.prompt, 'You advise people with sore feet.\n\nrefused: be kind');
    assert.equal(refused.generated_by_ai, false);
    assert.equal(refused.message, 'Prompt generated (AI unavailable, using fallback)');
    assert.equal(refused.warning, 'AI generation failed, using simple combination');
    assert.equal(refused.tokens?.charged, 0);
  });

  const past = new Date(Date.now() - 60_000).toISOString();
  for (const [code, tokens, subscription, message, error, action] of [
    [
      'insufficient_tokens',
      250,
      { status: 'active' },
      'Insufficient tokens',
      'You need at least 700 tokens. Available: 250',
      'buy_tokens',
    ],
    [
      'no_tokens_remaining',
      0,
      { status: 'active' },
      'Insufficient tokens',
      'You need at least 700 tokens. Available: 0',
      'buy_tokens',
    ],
    [
      'no_subscription',
      9_000,
      { status: 'none' },
      'Subscription is not active',
      'You have no active subscription. Please choose a plan.',
      'renew_subscription',
    ],
    [
      'subscription_expired',
      9_000,
      { status: 'active', expires_at: past },
      'Subscription is not active',
      'Your subscription has expired. Please renew it.',
      'renew_subscription',
    ],
    [
      'subscription_deactivated',
      9_000,
      { status: 'deactivated' },
      'Subscription is not active',
      'Your subscription is deactivated. Please contact support.',
      'contact_support',
    ],
  ] as const) {
    it(`refuses as ${code}, in the words of the contract`, async () => {
      const name = await owner(tokens, { subscription });
      const text = randomUUID();
      const end = await api.untilEnded(name, await api.start(name, text));
      assert.deepEqual(
        [end.status, end.progress, end.message, end.error, end.error_code, end.action],
        ['failed', 100, message, error, code, action],
      );
      assert.equal(callsFor(text), 0, 'the model is not asked');
    });
  }

  it('makes one task and one call of the model out of 20 equal starts with one key', async () => {
    const name = await owner();
    const text = randomUUID();
    const tasks = await Promise.all(
      Array.from({ length: 20 }, () => api.start(name, text, { 'Idempotency-Key': 'k' })),
    );
    assert.equal(new Set(tasks.map(({ task_id }) => task_id)).size, 1);
    await api.untilEnded(name, tasks[0]!);
    assert.equal(callsFor(text), 1);
    assert.equal((await api.ledger(name)).charges.length, 1);
  });

  it('lets one of two generations through where the tokens are enough for one', async () => {
    const name = await owner(1_000);
    const text = `slow ${randomUUID()}`;
    const tasks = await Promise.all([api.start(name, `${text} a`), api.start(name, `${text} b`)]);
    const refused = await eventually(async () => {
      const states = await Promise.all(tasks.map((task) => api.status(name, task)));
      assert.deepEqual(states.map(({ progress }) => progress).sort(), [100, 50]);
      return states.find(({ progress }) => progress === 100)!;
    });
    assert.equal(refused.error_code, 'no_tokens_remaining');
    slow.open();
    const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
    slow = gate();
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['completed', 'failed']);
    assert.deepEqual((await api.account(name)).tokens, { balance: 850, held: 0, available: 850 });
  });

  it('asks the model again after two 503s, and charges once', async () => {
    const name = await owner();
    const text = `flaky ${randomUUID()}`;
    const task = await api.start(name, text);
    await eventually(async () => {
      const { detail } = await api.status(name, task);
      assert.ok(detail?.attempt !== undefined && detail.attempt > 1, 'the status tells of the attempt');
    });
    const end = await api.untilEnded(name, task);
    assert.equal(end.status, 'completed');
    assert.equal(end.generated_by_ai, true);
    assert.equal(callsFor(text), 3);
    assert.deepEqual(
      (await api.ledger(name)).charges.map(({ tokens }) => tokens),
      [-150],
    );
  });

  it('aborts the request to the model when the task is cancelled, and charges nothing', async () => {
    const name = await owner();
    const task = await api.start(name, `long ${randomUUID()}`);
    await api.untilProgress(name, task, 70);
    const before = llm.aborted();
    const cancel = () => api.call('POST', `${task.status_url}cancel/`, { as: name });
    assert.equal((await cancel()).status, 202);
    const end = await api.untilEnded(name, task);
    assert.deepEqual([end.status, end.error_code, end.action], ['failed', 'cancelled', 'retry']);
    await eventually(() => {
      assert.equal(llm.aborted(), before + 1);
    });
    assert.equal((await cancel()).status, 200);
    assert.deepEqual((await api.account(name)).tokens, { balance: 10_000, held: 0, available: 10_000 });
  });

  it('answers the old blocking endpoint with the prompt', async () => {
    const name = await owner(10_000);
    const body = { manual_prompt: randomUUID() };
    const answer = await api.json<Status>('POST', '/api/v1/web-knowledge/generate-prompt/', { as: name, body });
    assert.deepEqual([answer.prompt, answer.message], [PROMPT, 'Prompt generated successfully using AI']);
    const poor = await owner(250);
    const refused = await api.call('POST', '/api/v1/web-knowledge/generate-prompt/', { as: poor, body });
    assert.equal(refused.status, 402);
    const { message, error, tokens_remaining } = (await refused.json()) as Record<string, unknown>;
    assert.deepEqual(
      [message, error, tokens_remaining],
      ['Insufficient tokens', 'You need at least 700 tokens for prompt enhancement. Available: 250', 250],
    );
  });

  it('lists what an owner had generated, finds it by its text, and shows it to nobody else', async () => {
    const [name, other] = [await owner(), await owner()];
    const [hats, shoes] = [`Hats at 100%, ${randomUUID()}`, `slow Shoes ${randomUUID()}`];
    const completed = await api.start(name, hats);
    const end = await api.untilEnded(name, completed);
    const running = await api.start(name, shoes);
    await api.untilProgress(name, running, 50);
    type Page = { generations: (Status & { manual_prompt: string; status_url: string })[]; next_cursor: string | null };
    const list = (as: string, query = '') => api.json<Page>('GET', `${GENERATIONS_PATH}${query}`, { as });
    const first = await list(name, '?limit=1');
    assert.deepEqual(first.generations, [
      { ...(await api.status(name, running)), manual_prompt: shoes, status_url: running.status_url },
    ]);
    const record = { ...end, manual_prompt: hats, status_url: completed.status_url };
    assert.deepEqual(await list(name, `?limit=1&cursor=${first.next_cursor!}`), {
      generations: [record],
      next_cursor: null,
    });
    assert.deepEqual((await list(name, `?q=${encodeURIComponent('hats AT 100%')}`)).generations, [record]);
    assert.deepEqual((await list(name, '?status=processing&cursor=&q=')).generations, first.generations);
    assert.deepEqual(await list(other), { generations: [], next_cursor: null });
    slow.open();
    await api.untilEnded(name, running);
    slow = gate();
  });

  it('completes 20 generations that were in the call of the model when everything was killed, each charged once', async () => {
    const name = await owner(100_000);
    const texts = Array.from({ length: 20 }, (_, n) => `slow ${n} ${randomUUID()}`);
    const tasks = await Promise.all(texts.map((text) => api.start(name, text)));
    await eventually(() => {
      assert.deepEqual(
        texts.map(callsFor),
        texts.map(() => 1),
      );
    });
    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    process.kill(temporalPid, 'SIGKILL');
    await program.kill();
    slow.open();
    await startService();
    const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
    slow = gate();
    assert.deepEqual(
      ends.map(({ status, generated_by_ai }) => [status, generated_by_ai]),
      ends.map(() => ['completed', true]),
    );
    const { charges, sum } = await api.ledger(name);
    assert.deepEqual(charges.map(({ task_id }) => task_id).sort(), tasks.map(({ task_id }) => task_id).sort());
    assert.deepEqual((await api.account(name)).tokens, { balance: sum, held: 0, available: 100_000 - 20 * 150 });
  });

  it('ends what a killed one had left behind, and goes on', async () => {
    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    await program.kill();
    assert.ok(!(await hasEnded(temporalPid)), 'the Temporal server is an orphan now');
    await startService();
    assert.ok(await hasEnded(temporalPid));
    assert.match(program.output(), new RegExp(`killed service had left behind \\(process ${temporalPid}\\)`));
    const name = await owner();
    assert.equal((await api.untilEnded(name, await api.start(name))).status, 'completed');
  });
});
