import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { createActivities } from '../../src/activities/index.js';
import { NO_ENCRYPTION } from '../../src/encryption/open-encryption.js';
import { createGenerations } from '../../src/generations/create-generations.js';
import type { Overload } from '../../src/generations/overload.js';
import { createStart } from '../../src/generations/start.js';
import type { Generations } from '../../src/generations/types.js';
import type { Ledger } from '../../src/ledger/types.js';
import { LlmError } from '../../src/llm/llm.js';
import { BY } from '../support/by.js';
import { eventually } from '../support/eventually.js';
import { gate, type Gate } from '../support/gate.js';
import { useRig } from '../support/rig.js';
import { asOwner, quiet, richOwner, UNLIMITED, useLedger } from './support.js';

const USAGE = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };

describe('A start that takes equal work for its own', () => {
  const on = useLedger();
  // Before the rig stops its workers, which wait for their calls.
  afterEach(() => {
    answers.open();
  });
  const rig = useRig();
  /** What workers ask, and what API processes know of it. */
  let modelId: string;
  let asked: string[];
  /** The model answers when it opens. */
  let answers: Gate;
  let finishReason: string;
  let isOverloaded: boolean;
  const overload: Overload = {
    refuses: () => isOverloaded,
    refusal: () => ({ outcome: 'overloaded', byOwner: false, retryAfterMs: 2_000 }),
    giveBack: () => undefined,
    look: () => Promise.resolve(),
  };
  /** Another process than the one that starts. */
  let generations: Generations;
  let owner: string;
  let text: string;

  beforeEach(async () => {
    modelId = 'model-1';
    asked = [];
    answers = gate();
    answers.open();
    finishReason = 'stop';
    isOverloaded = false;
    generations = createGenerations(deps());
    owner = await richOwner(on.ledger);
    text = `We sell shoes. ${randomUUID()}`;
  });
  const deps = (own: { client?: Client; ledger?: Ledger } = {}) => ({
    client: rig.client,
    ledger: on.ledger,
    log: quiet,
    limits: UNLIMITED,
    taskQueue: rig.taskQueue,
    assignKey: NO_ENCRYPTION.assign,
    ...own,
  });
  const work = () =>
    rig.work(
      createActivities({
        ledger: on.ledger,
        llm: {
          generate: async ({ user }) => {
            asked.push(user);
            await answers.opened;
            if (user.startsWith('refused')) throw new LlmError('The model answered 401', false);
            return { text: `Prompt ${asked.length}`, model: 'm-2026', usage: USAGE, finishReason };
          },
        },
        modelId,
        tellWorkflow: () => Promise.resolve(),
        showText: () => undefined,
        minimumTokens: 700,
        maxOutputTokens: 3_000,
      }),
    );
  const ask = async (own: Partial<Parameters<Generations['start']>[0]> = {}, by: Parameters<typeof deps>[0] = {}) => {
    const start = createStart({ ...deps(by), modelId: () => modelId }, overload);
    const { quota: _, ...result } = await start({ owner, manualPrompt: text, requestId: 'r', reuse: true, ...own });
    if (result.outcome === 'started') rig.replay(result.taskId);
    return result;
  };
  const taskOf = (result: Awaited<ReturnType<typeof ask>>): string =>
    'taskId' in result ? result.taskId : assert.fail(result.outcome);
  const ended = (taskId: string) =>
    eventually(async () => {
      const status = await generations.status(taskId, asOwner(owner));
      assert.ok(status.outcome === 'found' && status.snapshot.progress === 100);
      return status.snapshot;
    });
  /** Asks, and waits for the end. */
  const done = async (own: Parameters<typeof ask>[0] = {}) => {
    const result = await ask(own);
    await ended(taskOf(result));
    return result;
  };
  const balance = async () => (await on.ledger.getAccount(owner))?.tokens;
  const runs = (taskId: string) =>
    rig.client.workflow
      .getHandle(taskId)
      .describe()
      .then(
        () => true,
        () => false,
      );

  it('is given the prompt there is, at once and free of charge, by no model and no run', async () => {
    await work();
    const first = await done({ reuse: false });
    assert.deepEqual(await balance(), { balance: 99_850, held: 0, available: 99_850 });
    const second = await ask();
    assert.equal(second.outcome, 'cached');
    assert.notEqual(taskOf(second), taskOf(first));
    const snapshot = await ended(taskOf(second));
    assert.ok(snapshot.status === 'completed');
    assert.deepEqual(
      [snapshot.prompt, snapshot.cached, snapshot.generated_by_ai, snapshot.model, snapshot.tokens],
      ['Prompt 1', true, true, 'm-2026', { charged: 0, available: 99_850 }],
    );
    assert.equal(await runs(taskOf(second)), false);
    assert.deepEqual(asked, [text]);
    assert.deepEqual(await balance(), { balance: 99_850, held: 0, available: 99_850 });
    assert.equal((await generations.waitForEnd(taskOf(second), asOwner(owner), 5_000)).outcome, 'ended');
    const other = await generations.status(taskOf(second), asOwner('somebody else'));
    assert.equal(other.outcome, 'not_found');
  });

  it('joins the task that is at it, of two at the same time as well: one is charged', async () => {
    answers = gate();
    await work();
    const both = await Promise.all([ask(), ask()]);
    assert.deepEqual(both.map(({ outcome }) => outcome).sort(), ['joined', 'started']);
    const third = await ask();
    assert.equal(third.outcome, 'joined');
    assert.equal(new Set([...both, third].map(taskOf)).size, 1);
    answers.open();
    const snapshot = await ended(taskOf(third));
    assert.ok(snapshot.status === 'completed');
    assert.deepEqual([snapshot.tokens.charged, snapshot.cached], [150, undefined]);
    assert.deepEqual(asked, [text]);
    assert.deepEqual(await balance(), { balance: 99_850, held: 0, available: 99_850 });
    assert.equal((await ask()).outcome, 'cached');
  });

  it('begins anew for another owner, text, model, template or spelling of the business', async () => {
    await work();
    await done();
    const anew = async (own: Parameters<typeof ask>[0] = {}) => (await ask(own)).outcome;
    assert.equal(await anew(), 'cached');
    assert.equal(await anew({ owner: await richOwner(on.ledger) }), 'started');
    assert.equal(await anew({ manualPrompt: `${text}!` }), 'started');
    modelId = 'model-2';
    assert.equal(await anew(), 'started');
    modelId = 'model-1';
    const type = `Shoe shop ${randomUUID()}`;
    await on.ledger.putAccount(owner, { businessType: type }, BY);
    assert.equal(await anew(), 'started');
    await on.ledger.putTemplate(type, 'You advise people with sore feet.', BY);
    assert.equal(await anew(), 'started');
    await on.ledger.putTemplate(type, 'You advise people with tired feet.', BY);
    assert.equal(await anew(), 'started');
    await on.ledger.putAccount(owner, { businessType: null }, BY);
    assert.equal(await anew(), 'cached');
  });

  it('begins anew after a fallback, a failure, and a prompt that was cut short', async () => {
    await work();
    text = `refused ${text}`;
    const fallback = await ended(taskOf(await done()));
    assert.ok(fallback.status === 'completed' && !fallback.generated_by_ai);
    assert.equal((await done()).outcome, 'started');
    text = 'too dear';
    const poor = await richOwner(on.ledger, 10);
    owner = poor;
    assert.equal((await ended(taskOf(await done()))).status, 'failed');
    assert.equal((await done()).outcome, 'started');
    owner = await richOwner(on.ledger);
    finishReason = 'length';
    assert.equal((await ended(taskOf(await done()))).status, 'completed');
    assert.equal((await done()).outcome, 'started');
  });

  it('is told by its task that there is no subscription any more', async () => {
    await work();
    await done();
    await on.ledger.putAccount(owner, { subscription: { status: 'deactivated' } }, BY);
    const refused = await ask();
    assert.equal(refused.outcome, 'started');
    const snapshot = await ended(taskOf(refused));
    assert.equal(snapshot.status === 'failed' && snapshot.error_code, 'subscription_deactivated');
  });

  it('needs no tokens for what there is', async () => {
    await work();
    owner = await richOwner(on.ledger, 800);
    await done();
    assert.equal((await balance())?.available, 650);
    assert.equal((await ask()).outcome, 'cached');
  });

  it('is served, or joins, also while there is too much to do, but begins nothing', async () => {
    await work();
    await done();
    const other = `${text}!`;
    answers = gate();
    const started = await ask({ manualPrompt: other });
    isOverloaded = true;
    assert.equal((await ask()).outcome, 'cached');
    assert.deepEqual(await ask({ manualPrompt: other }), { outcome: 'joined', taskId: taskOf(started) });
    for (const own of [{}, { idempotencyKey: 'k' }])
      assert.equal((await ask({ ...own, manualPrompt: 'something new' })).outcome, 'overloaded');
  });

  it('begins as always while nobody can say which work it is, or what there was', async () => {
    await work();
    await done();
    const away = () => Promise.reject(new Error('away'));
    assert.equal((await ask({}, { ledger: { ...on.ledger, getBusiness: away } })).outcome, 'started');
    assert.equal((await ask({}, { ledger: { ...on.ledger, admit: away } })).outcome, 'started');
    const start = createStart({ ...deps(), modelId: () => undefined }, overload);
    const result = await start({ owner, manualPrompt: text, requestId: 'r', reuse: true });
    assert.equal(result.outcome, 'started');
  });

  it('is answered under its Idempotency-Key as it was the first time, whatever there is by then', async () => {
    answers = gate();
    await work();
    const first = await ask({ idempotencyKey: 'one' });
    const joined = await ask({ idempotencyKey: 'two' });
    assert.deepEqual([joined.outcome, taskOf(joined)], ['joined', taskOf(first)]);
    assert.deepEqual(await ask({ idempotencyKey: 'two' }), joined, 'nor does it count on the first step');
    modelId = 'another model';
    for (const reuse of [true, false])
      assert.deepEqual(await ask({ idempotencyKey: 'two', reuse }), joined, 'nor on what is equal work by now');
    assert.deepEqual(await ask({ idempotencyKey: 'two', manualPrompt: 'other' }), { outcome: 'key_reused' });
    modelId = 'model-1';
    answers.open();
    await ended(taskOf(first));
    const cached = await ask({ idempotencyKey: 'three' });
    assert.equal(cached.outcome, 'cached');
    for (const reuse of [true, false]) {
      const again = (idempotencyKey: string) => ask({ idempotencyKey, reuse });
      assert.deepEqual(await again('one'), { outcome: 'existing', taskId: taskOf(first) });
      assert.deepEqual(await again('two'), { outcome: 'existing', taskId: taskOf(first), reused: 'joined' });
      assert.deepEqual(await again('three'), { outcome: 'existing', taskId: taskOf(cached), reused: 'cached' });
    }
    for (const idempotencyKey of ['one', 'two', 'three', 'one', 'two', 'three'])
      assert.deepEqual(await ask({ idempotencyKey, manualPrompt: 'other' }), { outcome: 'key_reused' });
    assert.deepEqual(asked, [text]);
  });

  it('under one key twice at the same time is one task, and one of them is told that it is a repetition', async () => {
    await work();
    await done();
    const both = await Promise.all([ask({ idempotencyKey: 'k' }), ask({ idempotencyKey: 'k' })]);
    assert.deepEqual(both.map(({ outcome }) => outcome).sort(), ['cached', 'existing']);
    assert.equal(new Set(both.map(taskOf)).size, 1);
    assert.equal(await runs(taskOf(both[0])), false);
  });

  it('that joined a task whose own start then failed has it run all the same, and it is charged once', async () => {
    await work();
    const asks = gate();
    const fails = gate();
    const client = new Client({
      connection: rig.env.connection,
      interceptors: {
        workflow: [
          {
            startWithDetails: async () => {
              asks.open();
              await fails.opened;
              throw new Error('the answer got lost');
            },
          },
        ],
      },
    });
    const first = ask({}, { client });
    await asks.opened;
    const second = await ask();
    assert.equal(second.outcome, 'joined');
    rig.replay(taskOf(second));
    fails.open();
    assert.equal((await first).outcome, 'unavailable');
    const snapshot = await ended(taskOf(second));
    assert.ok(snapshot.status === 'completed');
    assert.equal((await balance())?.balance, 99_850);
  });

  it('does not join a task that is being cancelled', async () => {
    answers = gate();
    await work();
    const first = await ask();
    await eventually(() => {
      assert.equal(asked.length, 1);
    });
    assert.equal((await generations.cancel(taskOf(first), asOwner(owner))).outcome, 'requested');
    const second = await ask();
    assert.equal(second.outcome, 'started');
    assert.notEqual(taskOf(second), taskOf(first));
  });
});
