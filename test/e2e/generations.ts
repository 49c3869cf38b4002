import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { GENERATE_ASYNC_PATH, GENERATIONS_PATH } from '../../src/contract/names.js';
import type { ApiClient, Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { userText } from '../support/llm-server.js';
import { PROMPT, type ScriptedModel } from './scripted-model.js';

/** Tests of what a client sees of generations, from the request to the prompt, wherever the service runs. */
export function testGenerations(api: ApiClient, model: () => ScriptedModel): void {
  const owner = (tokens = 10_000, account: { subscription?: object; business_type?: string } = {}) =>
    api.newOwner({ tokens, ...account });

  it('leads a generation from the request to the prompt, through steps that never go back', async () => {
    const name = await owner();
    const text = `slowly ${randomUUID()}`;
    const task = await api.start(name, text);
    await api.untilProgress(name, task, 50);
    assert.equal((await api.account(name)).tokens.held > 700, true);
    model().open();
    const end = await api.untilEnded(name, task);
    assert.equal(end.status, 'completed');
    assert.equal(end.message, 'Prompt generated successfully');
    assert.equal(end.prompt, PROMPT);
    assert.equal(end.generated_by_ai, true);
    assert.deepEqual(end.tokens, { charged: 150, available: 9_850 });
    assert.deepEqual((await api.account(name)).tokens, { balance: 9_850, held: 0, available: 9_850 });
    model().close();
  });

  it('builds on the template of the business type, whatever its case', async () => {
    const type = `Shoe shop ${randomUUID()}`;
    const name = await owner(10_000, { business_type: type.toUpperCase() });
    const admin = { as: 'admin', scope: 'admin' };
    const body = { template: 'You advise people with sore feet.' };
    await api.json('PUT', `/api/v1/admin/prompt-templates/${encodeURIComponent(type)}/`, { ...admin, body });
    const text = randomUUID();
    await api.untilEnded(name, await api.start(name, text));
    const sent = model()
      .llm.requests()
      .find((request) => userText(request) === text);
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
      assert.equal(model().callsFor(text), 0, 'the model is not asked');
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
    assert.equal(model().callsFor(text), 1);
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
    model().open();
    const ends = await Promise.all(tasks.map((task) => api.untilEnded(name, task)));
    model().close();
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
    assert.equal(model().callsFor(text), 3);
    assert.deepEqual(
      (await api.ledger(name)).charges.map(({ tokens }) => tokens),
      [-150],
    );
  });

  it('aborts the request to the model when the task is cancelled, and charges nothing', async () => {
    const name = await owner();
    const task = await api.start(name, `long ${randomUUID()}`);
    await api.untilProgress(name, task, 70);
    const before = model().llm.aborted();
    const cancel = () => api.call('POST', `${task.status_url}cancel/`, { as: name });
    assert.equal((await cancel()).status, 202);
    const end = await api.untilEnded(name, task);
    assert.deepEqual([end.status, end.error_code, end.action], ['failed', 'cancelled', 'retry']);
    await eventually(() => {
      assert.equal(model().llm.aborted(), before + 1);
    });
    assert.equal((await cancel()).status, 200);
    assert.deepEqual((await api.account(name)).tokens, { balance: 10_000, held: 0, available: 10_000 });
  });

  it('does equal work once where that is asked for: joined while it goes on, given for nothing when it is there', async () => {
    const name = await owner();
    type Reused = Status & { status_url: string; cached?: true; joined?: true };
    const ask = (manual_prompt: string) =>
      api.json<Reused>('POST', GENERATE_ASYNC_PATH, { as: name, body: { manual_prompt, reuse: true } });
    // Every API process knows by then which model its workers ask.
    await eventually(async () => {
      const text = randomUUID();
      await api.untilEnded(name, await ask(text));
      for (let n = 0; n < 4; n++) assert.equal((await ask(text)).cached, true);
    });
    const { sum } = await api.ledger(name);

    const text = `slow ${randomUUID()}`;
    const both = await Promise.all([ask(text), ask(text)]);
    assert.equal(both[0].task_id, both[1].task_id);
    assert.deepEqual(both.map(({ joined }) => joined ?? false).sort(), [false, true]);
    await api.untilProgress(name, both[0], 50);
    model().open();
    const first = await api.untilEnded(name, both[0]);
    model().close();
    assert.deepEqual(first.tokens, { charged: 150, available: sum - 150 });

    const cached = await ask(text);
    assert.notEqual(cached.task_id, first.task_id);
    const second = await api.untilEnded(name, cached);
    assert.deepEqual(
      [second.prompt, second.cached, second.tokens],
      [PROMPT, true, { charged: 0, available: sum - 150 }],
    );
    const body = { manual_prompt: text, reuse: true };
    const waited = await api.json<Reused>('POST', '/api/v1/web-knowledge/generate-prompt/', { as: name, body });
    assert.deepEqual([waited.prompt, waited.cached], [PROMPT, true]);
    const stranger = await owner();
    const theirs = await api.json<Reused>('POST', GENERATE_ASYNC_PATH, { as: stranger, body });
    assert.equal(theirs.cached, undefined);
    model().open();
    await api.untilEnded(stranger, theirs);
    model().close();
    assert.equal(model().callsFor(text), 2, 'once for each owner');
    assert.deepEqual((await api.account(name)).tokens, { balance: sum - 150, held: 0, available: sum - 150 });
    const page = await api.json<{ generations: Status[] }>('GET', `${GENERATIONS_PATH}?q=${text.slice(5)}`, {
      as: name,
    });
    assert.deepEqual(
      page.generations.map(({ cached: was }) => was ?? false),
      [true, true, false],
    );
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
    model().open();
    await api.untilEnded(name, running);
    model().close();
  });
}
