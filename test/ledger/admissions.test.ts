import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { StartLimits } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';
import { byAi } from '../support/ends.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

const AT_ONCE = 50;
const A_WEEK_MS = 7 * 24 * 60 * 60_000;
const MANY = 1_000_000;

onEachDatabase('Admissions', (on) => {
  const admit = (owner: string, limits: Partial<StartLimits>, taskId: string = randomUUID()) =>
    on.ledger.admit({ owner, taskId, limits: { startsPerMinute: MANY, runningTasks: MANY, ...limits } });
  const outcomes = async (admissions: ReturnType<typeof admit>[]): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { outcome } of await Promise.all(admissions)) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };
  /** Lets the time of what was started so far pass. */
  const age = (owner: string, ms: number) =>
    on.db.query(`UPDATE starts SET started_at = started_at - $2 * interval '1 millisecond' WHERE owner = $1`, [
      owner,
      ms,
    ]);
  const end = (owner: string, taskId: string) =>
    on.ledger.endGeneration({ taskId, owner, end: { status: 'failed', failure: { code: 'cancelled' } } });

  for (const limits of [{ startsPerMinute: 17 }, { runningTasks: 17 }]) {
    it(`of fifty at once are as many as ${JSON.stringify(limits)} says, for each owner`, async () => {
      const owners = [randomUUID(), randomUUID()];
      const all = owners.map((owner) => outcomes(Array.from({ length: AT_ONCE }, () => admit(owner, limits))));
      for (const counts of await Promise.all(all)) assert.deepEqual(counts, { admitted: 17, limited: 33 });
    });
  }

  it('of one task are one start, however many ask', async () => {
    const owner = randomUUID();
    const taskId = randomUUID();
    const same = Array.from({ length: AT_ONCE }, () => admit(owner, { startsPerMinute: 1, runningTasks: 1 }, taskId));
    assert.deepEqual(await outcomes(same), { admitted: AT_ONCE });
    assert.ok(
      (await Promise.all(same)).filter((one) => one.outcome === 'admitted' && one.isNew).length === 1,
      'one took it',
    );
    const [{ count }] = (await on.db.query<{ count: number }>('SELECT count(*) FROM starts WHERE owner = $1', [
      owner,
    ])) as [{ count: number }];
    assert.equal(count, 1);
    assert.equal((await admit(owner, { startsPerMinute: 1 })).outcome, 'limited', 'another one has no place');
  });

  it('free a start when it is a minute old, and say in how many ms', async () => {
    const owner = randomUUID();
    const limits = { startsPerMinute: 2 };
    assert.deepEqual(await admit(owner, limits), {
      outcome: 'admitted',
      isNew: true,
      quota: { starts: 1, startsResetMs: 60_000, running: MANY - 1 },
    });
    await age(owner, 20_000);
    const second = await admit(owner, limits);
    assert.equal(second.quota.starts, 0);
    const refused = await admit(owner, limits);
    assert.ok(refused.outcome === 'limited' && refused.limit === 'starts', refused.outcome);
    assert.equal(refused.retryAfterMs, refused.quota.startsResetMs);
    const { retryAfterMs } = refused;
    assert.ok(retryAfterMs <= 40_000, `${retryAfterMs} ms to wait, though the first is 20 s old`);
    await age(owner, retryAfterMs);
    const third = await admit(owner, limits);
    assert.equal(third.outcome, 'admitted');
    assert.equal(third.quota.starts, 0, 'the second start still counts');
  });

  it('free a running task when it ends, or when it can run no more', async () => {
    const owner = randomUUID();
    const limits = { runningTasks: 2 };
    const [first, second] = [randomUUID(), randomUUID()];
    await admit(owner, limits, first);
    await on.ledger.beginGeneration({ taskId: first, owner, manualPrompt: 'p', createdAt: new Date() });
    assert.equal((await admit(owner, limits, second)).outcome, 'admitted');
    const refused = await admit(owner, limits);
    assert.ok(refused.outcome === 'limited' && refused.limit === 'running', refused.outcome);
    assert.equal(refused.quota.running, 0);
    await end(owner, first);
    assert.equal((await admit(owner, limits)).outcome, 'admitted', 'the first has ended');
    assert.equal((await admit(owner, limits)).outcome, 'limited');
    await age(owner, 100_000);
    assert.equal((await admit(owner, limits)).outcome, 'limited', 'they may still run');
    await age(owner, 10_000);
    assert.equal((await admit(owner, limits)).outcome, 'admitted', 'after 110 s none can');
  });

  it('take back what came to nothing, and count it anew when it is asked for again', async () => {
    const owner = randomUUID();
    const taskId = randomUUID();
    const limits = { startsPerMinute: 1, runningTasks: 1 };
    await admit(owner, limits, taskId);
    await on.ledger.withdraw(taskId);
    assert.equal((await admit(owner, limits)).outcome, 'admitted');
    assert.equal((await admit(owner, limits, taskId)).outcome, 'limited', 'it has no place any more');
    const rows = await on.db.query('SELECT 1 FROM starts WHERE owner = $1', [owner]);
    assert.equal(rows.length, 2, 'both stay known');
  });

  for (const place of ['with a place', 'without one'])
    it(`cost nothing where their caller never heard of them, whatever was set aside before: ${place}`, async () => {
      const owner = randomUUID();
      const [before, after, paid] = [randomUUID(), randomUUID(), randomUUID()];
      await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
      await on.ledger.grant({ owner, tokens: 10_000, reason: 'r', key: 'first', by: BY });
      if (place === 'with a place') for (const taskId of [before, after]) await admit(owner, {}, taskId);
      const hold = (taskId: string) =>
        on.ledger.hold({ holdId: taskId, taskId, owner, minimum: 700, wanted: 700, ttlMs: 3_600_000 });
      await hold(after);
      await hold(paid);
      await on.ledger.waive({ owner, taskIds: [before, after] });
      assert.equal((await hold(before)).outcome, 'held');
      const charged = async (taskId: string) =>
        (await on.ledger.endGeneration({ taskId, owner, end: byAi(600) })).tokensCharged;
      assert.deepEqual([await charged(before), await charged(after), await charged(paid)], [0, 0, 600]);
      const { tokens } = (await on.ledger.getAccount(owner))!;
      assert.deepEqual(tokens, { balance: 9_400, held: 0, available: 9_400 });
      assert.equal((await admit(owner, {})).quota.running, MANY - 1, 'they take no place');
      await assertInvariants(on.db, owner);
    });

  it('are forgotten when they are old enough', async () => {
    const owner = randomUUID();
    await admit(owner, {});
    await age(owner, A_WEEK_MS);
    const kept = randomUUID();
    await admit(owner, {}, kept);
    assert.equal(await on.ledger.forgetOldStarts(A_WEEK_MS), 1);
    const rows = await on.db.query<{ task_id: string }>('SELECT task_id FROM starts WHERE owner = $1', [owner]);
    assert.deepEqual(rows, [{ task_id: kept }]);
  });
});
