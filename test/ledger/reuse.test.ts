import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { createSupportLedger } from '../../src/ledger/support-ledger.js';
import type { ReuseRequest, StartLimits } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

const MANY = 1_000_000;
const AT_ONCE = 30;
const TEXT = 'We sell shoes.';
const USAGE = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };
const completed = (workKey?: string): GenerationEnd => ({
  status: 'completed',
  prompt: 'You are kind.',
  generatedByAi: true,
  model: 'm-2026',
  usage: USAGE,
  ...(workKey === undefined ? {} : { workKey }),
});

onEachDatabase('Equal work', (on) => {
  let owner: string;
  /** Of the work of these tests. */
  let work: string;

  beforeEach(async () => {
    owner = randomUUID();
    work = `work ${randomUUID()}`;
    await open(owner);
  });
  afterEach(() => assertInvariants(on.db, owner));

  const open = async (name: string) => {
    await on.ledger.putAccount(name, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner: name, tokens: 10_000, reason: 'test', key: 'first', by: BY });
  };
  const ask = (
    taskId: string = randomUUID(),
    { as = owner, limits, ...own }: { as?: string; limits?: Partial<StartLimits> } & Partial<ReuseRequest> = {},
  ) =>
    on.ledger.admit({
      owner: as,
      taskId,
      limits: { startsPerMinute: MANY, runningTasks: MANY, ...limits },
      reuse: { workKey: work, manualPrompt: TEXT, requestHash: 'a hash', keyed: false, ...own },
    });
  const begin = (taskId: string, as = owner) =>
    on.ledger.beginGeneration({ taskId, owner: as, manualPrompt: TEXT, createdAt: new Date() });
  const end = (taskId: string, how: GenerationEnd, as = owner) =>
    on.ledger.endGeneration({ taskId, owner: as, end: how, runId: randomUUID() });
  /** A task that led to a prompt, and was paid. */
  const done = async ({ as = owner, key = work, by = completed(key) } = {}) => {
    const taskId = randomUUID();
    await begin(taskId, as);
    await on.ledger.hold({ holdId: taskId, taskId, owner: as, minimum: 700, wanted: 900, ttlMs: 60_000 });
    await end(taskId, by, as);
    return taskId;
  };
  const started = async (taskId: string = randomUUID()) => {
    assert.equal((await ask(taskId)).outcome, 'admitted');
    return taskId;
  };
  const startedBy = async (taskId: string) => (await on.ledger.getStarted([taskId]))[0];
  const countedStarts = () =>
    on.db.query('SELECT 1 FROM starts WHERE owner = $1 AND counted', [owner]).then(({ length }) => length);

  it('of which there is a result gives it to a task of its own that has ended, and charges nothing', async () => {
    const source = await done();
    const before = await on.ledger.getAccount(owner);
    const taskId = randomUUID();
    const { outcome, quota } = await ask(taskId, { limits: { startsPerMinute: 5, runningTasks: 5 } });
    assert.equal(outcome, 'cached');
    assert.deepEqual([quota.starts, quota.running], [4, 5], 'it is a start, and does not run');
    const row = await on.ledger.getGeneration(taskId);
    assert.ok(row?.ended?.status === 'completed');
    const { endedAt, ...ended } = row.ended;
    assert.deepEqual(ended, {
      status: 'completed',
      prompt: 'You are kind.',
      generatedByAi: true,
      model: 'm-2026',
      usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      cached: true,
      tokensCharged: 0,
      tokensAvailable: 9_850,
    });
    assert.equal(endedAt.getTime(), row.createdAt.getTime());
    assert.equal(row.manualPrompt, TEXT);
    assert.deepEqual(await on.ledger.getAccount(owner), before);
    assert.equal((await createSupportLedger(on.db).getTask(taskId))?.cachedFrom, source);
    const page = await on.ledger.listGenerations(owner, { limit: 5 });
    assert.deepEqual(
      page?.generations.map((one) => one.taskId),
      [taskId, source],
    );
  });

  it('is no other owner’s', async () => {
    const other = randomUUID();
    await open(other);
    await done({ as: other });
    assert.equal((await ask(randomUUID(), { as: other })).outcome, 'cached');
    const mine = await started();
    assert.equal((await ask(randomUUID(), { as: other })).outcome, 'cached');
    const third = randomUUID();
    await open(third);
    assert.equal((await ask(randomUUID(), { as: third })).outcome, 'admitted', 'nobody joins another owner');
    const joined = await ask();
    assert.equal(joined.outcome === 'joined' && joined.taskId, mine, 'but the owner its own');
  });

  it('is that of the very key: neither another one, nor what has none', async () => {
    await done({ key: 'another template, or another model' });
    await done({ by: completed() });
    assert.equal((await ask()).outcome, 'admitted');
  });

  const fallback: GenerationEnd = { ...completed('x'), generatedByAi: false } as GenerationEnd;
  const failed: GenerationEnd = { status: 'failed', failure: { code: 'internal' } };
  for (const [what, how] of Object.entries({ 'fell back': fallback, failed })) {
    it(`is begun anew where it ${what}, also by the task that was to be joined`, async () => {
      await done({ by: 'workKey' in how ? { ...how, workKey: work } : how });
      const first = await started();
      await begin(first);
      assert.equal((await ask()).outcome, 'joined');
      await end(first, 'workKey' in how ? { ...how, workKey: work } : how);
      assert.equal((await ask()).outcome, 'admitted');
    });
  }

  it('of a task that ran again counts as what the last run did', async () => {
    const taskId = randomUUID();
    await begin(taskId);
    await end(taskId, fallback);
    await end(taskId, completed('edited by support'));
    assert.equal((await ask(randomUUID(), { workKey: 'edited by support' })).outcome, 'cached');
    assert.equal((await ask(randomUUID(), { workKey: 'x' })).outcome, 'admitted');
  });

  it('of many at once is begun by one; the others join it, and take no place', async () => {
    const limits = { startsPerMinute: 1, runningTasks: 1 };
    const tasks = Array.from({ length: AT_ONCE }, () => randomUUID());
    const all = await Promise.all(tasks.map((taskId) => ask(taskId, { limits })));
    const [began, ...more] = tasks.filter((_, n) => all[n]?.outcome === 'admitted');
    assert.deepEqual(more, []);
    for (const one of all)
      if (one.outcome !== 'admitted') assert.deepEqual([one.outcome, 'taskId' in one && one.taskId], ['joined', began]);
    assert.equal(await countedStarts(), 1);
  });

  it('is given to many at once within the limit on starts', async () => {
    await done();
    const all = await Promise.all(
      Array.from({ length: AT_ONCE }, () => ask(randomUUID(), { limits: { startsPerMinute: 7, runningTasks: 1 } })),
    );
    assert.equal(all.filter(({ outcome }) => outcome === 'cached').length, 7);
    for (const one of all)
      if (one.outcome !== 'cached') assert.deepEqual([one.outcome, 'limit' in one && one.limit], ['limited', 'starts']);
  });

  it('is joined while its task may run: not when that is over, was withdrawn, or is being cancelled', async () => {
    const first = await started();
    assert.equal((await ask()).outcome, 'joined');
    await on.ledger.stopSharing(first);
    const second = await started();
    assert.equal(await on.ledger.withdraw(second), true);
    const third = await started();
    assert.equal((await ask()).outcome, 'joined');
    const age = `UPDATE starts SET started_at = started_at - $2 * interval '1 millisecond' WHERE task_id = $1`;
    await on.db.query(age, [third, WORKFLOW_TIMEOUT_MS]);
    assert.equal((await ask()).outcome, 'admitted');
  });

  it('that came to nothing for who began it stays for those who joined it', async () => {
    const first = await started();
    assert.equal((await ask()).outcome, 'joined');
    assert.equal(await on.ledger.withdraw(first), false);
    assert.equal((await ask()).outcome, 'joined');
    assert.equal(await countedStarts(), 1);
  });

  it('is joined or withdrawn, never both, however close they come', async () => {
    for (let n = 0; n < AT_ONCE; n++) {
      const workKey = `work ${randomUUID()}`;
      const taskId = randomUUID();
      await ask(taskId, { workKey });
      const [withdrawn, other] = await Promise.all([on.ledger.withdraw(taskId), ask(randomUUID(), { workKey })]);
      assert.equal(other.outcome, withdrawn ? 'admitted' : 'joined');
    }
  });

  it('is not joined in a task that began without a word of reuse', async () => {
    const limits = { startsPerMinute: MANY, runningTasks: MANY };
    await on.ledger.admit({ owner, taskId: randomUUID(), limits });
    assert.equal((await ask()).outcome, 'admitted');
  });

  describe('under an Idempotency-Key', () => {
    it('that joined a task stays with that task, whatever comes after', async () => {
      const first = await started();
      const taskId = randomUUID();
      const joined = await ask(taskId, { keyed: true });
      assert.deepEqual([joined.outcome, 'isNew' in joined && joined.isNew], ['joined', true]);
      assert.deepEqual(
        await startedBy(taskId),
        { hasPlace: false, generation: null, joined: { taskId: first, requestHash: 'a hash' } },
        'the task has not had its first step',
      );
      const again = await ask(taskId, { keyed: true });
      assert.deepEqual(again.outcome === 'joined' && [again.taskId, again.isNew], [first, false]);
      await ask(taskId, { keyed: true, workKey: 'other work', requestHash: 'another hash' });
      const joinedBy = (await startedBy(taskId))?.joined;
      assert.deepEqual(
        joinedBy,
        { taskId: first, requestHash: 'a hash' },
        'another request under its key changes nothing',
      );
      await begin(first);
      await end(first, completed(work));
      assert.equal((await startedBy(taskId))?.generation?.taskId, first);
      await on.ledger.forgetOldStarts(-1_000);
      assert.equal((await startedBy(taskId))?.generation?.taskId, first, 'also when starts are forgotten');
    });

    it('may be as many as starts within a minute, for those that join', async () => {
      const first = await started();
      const limits = { startsPerMinute: 2 };
      for (const expected of ['joined', 'joined', 'limited']) {
        const joined = await ask(randomUUID(), { keyed: true, limits });
        assert.equal(joined.outcome, expected);
        if (joined.outcome === 'limited') assert.deepEqual([joined.limit, joined.quota.starts], ['starts', 0]);
      }
      assert.equal((await ask(randomUUID(), { limits })).outcome, 'joined', 'one without a key leaves nothing behind');
      await on.db.query("UPDATE starts SET started_at = started_at - interval '1 minute' WHERE task_id <> $1", [first]);
      assert.equal((await ask(randomUUID(), { keyed: true, limits })).outcome, 'joined');
    });

    it('that was given a result is known by it', async () => {
      await done();
      const taskId = randomUUID();
      assert.equal((await ask(taskId, { keyed: true })).outcome, 'cached');
      const again = await ask(taskId, { keyed: true });
      assert.deepEqual([again.outcome, 'isNew' in again && again.isNew], ['admitted', false]);
      assert.equal((await startedBy(taskId))?.generation?.ended?.cached, true);
    });

    it('that began a task goes on with it, though there is a result now', async () => {
      const taskId = randomUUID();
      assert.equal((await ask(taskId, { keyed: true })).outcome, 'admitted');
      await done();
      const again = await ask(taskId, { keyed: true });
      assert.deepEqual([again.outcome, 'isNew' in again && again.isNew], ['admitted', false]);
    });

    it('that joined a task stays with it, though the same key comes with other work, or none to be shared', async () => {
      const first = await started();
      const taskId = randomUUID();
      await ask(taskId, { keyed: true });
      await begin(first);
      await ask(taskId, { keyed: true, workKey: 'other' });
      await on.ledger.withdraw(taskId);
      await on.ledger.admit({ owner, taskId, limits: { startsPerMinute: MANY, runningTasks: MANY } });
      await on.ledger.withdraw(taskId);
      assert.equal((await startedBy(taskId))?.generation?.taskId, first);
      assert.deepEqual((await ask(taskId, { keyed: true })).outcome, 'joined');
    });
  });

  it('is gone with its owner’s data, as are the keys that stand for it', async () => {
    const first = await started();
    const joined = randomUUID();
    await ask(joined, { keyed: true });
    await begin(first);
    await end(first, completed(work));
    const cached = randomUUID();
    assert.equal((await ask(cached, { keyed: true })).outcome, 'cached');
    const { erasure } = await on.ledger.requestErasure(owner, BY);
    await on.ledger.eraseData(erasure.id);
    for (const taskId of [joined, cached]) {
      assert.equal((await ask(taskId, { keyed: true })).outcome, 'erased');
      assert.deepEqual(await startedBy(taskId), { hasPlace: false, generation: null, joined: null });
    }
    assert.equal((await ask()).outcome, 'admitted', 'it is begun anew');
  });

  it('builds on what the account has, and asks for a subscription', async () => {
    const type = `Shop ${randomUUID()}`;
    const of = () => on.ledger.getBusiness(owner);
    assert.equal(await on.ledger.getBusiness(randomUUID()), null);
    assert.deepEqual(await of(), { businessType: null, template: null, hasSubscription: true });
    await on.ledger.putTemplate(type, 'One.', BY);
    await on.ledger.putTemplate(type, 'Two.', BY);
    await on.ledger.putAccount(owner, { businessType: type.toUpperCase() }, BY);
    assert.deepEqual((await of())?.template, { text: 'Two.', version: 2 });
    const past = new Date(Date.now() - 1_000);
    for (const subscription of [{ status: 'active', expiresAt: past }, { status: 'deactivated' }, { status: 'none' }]) {
      await on.ledger.putAccount(owner, { subscription: subscription as { status: 'active' } }, BY);
      assert.equal((await of())?.hasSubscription, false);
    }
  });
});
