import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { onEachDatabase } from './databases.js';
import { BY } from '../support/by.js';

const HOUR = 3_600_000;
const usage = (total_tokens: number) => ({ prompt_tokens: 0, completion_tokens: total_tokens, total_tokens });
const byAi = (total: number, prompt = 'You are kind.'): GenerationEnd => ({
  status: 'completed',
  prompt,
  generatedByAi: true,
  model: 'm',
  usage: usage(total),
});
const FALLBACK: GenerationEnd = { ...byAi(0, 'simple'), generatedByAi: false } as GenerationEnd;
const CANCELLED: GenerationEnd = { status: 'failed', failure: { code: 'cancelled' } };

onEachDatabase('The ledger', (on) => {
  /** An account with a subscription and a balance. */
  const account = async (tokens: number, businessType: string | null = null): Promise<string> => {
    const owner = randomUUID();
    await on.ledger.putAccount(owner, { businessType, subscription: { status: 'active' } }, BY);
    if (tokens > 0) await on.ledger.grant({ owner, tokens, reason: 'test', key: 'first', by: BY });
    return owner;
  };
  const hold = (owner: string, taskId: string, { run = '1', minimum = 700, wanted = 3_000, ttlMs = HOUR } = {}) =>
    on.ledger.hold({ holdId: `${taskId}/${run}`, taskId, owner, minimum, wanted, ttlMs });
  const end = (owner: string, taskId: string, how: GenerationEnd, runId?: string) =>
    on.ledger.endGeneration({ taskId, owner, end: how, runId });
  const tokensOf = async (owner: string) => (await on.ledger.getAccount(owner))?.tokens;
  const charges = async (owner: string) =>
    (await on.ledger.listEntries(owner, { limit: 100 }))!.entries.filter(({ type }) => type === 'charge');

  describe('accounts', () => {
    it('are made by the first upsert, and a later one changes only what it names', async () => {
      const owner = randomUUID();
      assert.equal(await on.ledger.getAccount(owner), null);
      const expiresAt = new Date('2030-01-01T00:00:00Z');
      await on.ledger.putAccount(
        owner,
        { businessType: 'Shoe store', subscription: { status: 'active', expiresAt } },
        BY,
      );
      await on.ledger.putAccount(owner, { subscription: { status: 'deactivated' } }, BY);
      assert.deepEqual(await on.ledger.getAccount(owner), {
        owner,
        businessType: 'Shoe store',
        subscription: { status: 'deactivated', expiresAt },
        tokens: { balance: 0, held: 0, available: 0 },
      });
      await on.ledger.putAccount(
        owner,
        { businessType: null, subscription: { status: 'active', expiresAt: null } },
        BY,
      );
      const now = await on.ledger.getAccount(owner);
      assert.deepEqual([now?.businessType, now?.subscription], [null, { status: 'active', expiresAt: null }]);
    });

    it('get a grant once per key, and never under a key of another grant', async () => {
      const owner = await account(0);
      const grant = (tokens: number, reason = 'r') => on.ledger.grant({ owner, tokens, reason, key: 'k', by: BY });
      const first = await grant(500);
      assert.equal(first.outcome, 'granted');
      assert.deepEqual(await grant(500), { ...first, outcome: 'replayed' });
      assert.deepEqual(await grant(501), { outcome: 'key_reused' });
      assert.deepEqual(await grant(500, 'other'), { outcome: 'key_reused' });
      assert.equal((await tokensOf(owner))?.balance, 500);
      const other = await account(0);
      assert.equal(
        (await on.ledger.grant({ owner: other, tokens: 7, reason: 'r', key: 'k', by: BY })).outcome,
        'granted',
      );
      const nobody = { owner: randomUUID(), tokens: 1, reason: 'r', key: 'k', by: BY };
      assert.deepEqual(await on.ledger.grant(nobody), { outcome: 'unknown_account' });
    });

    it('get their own grant where owner and key of another one read the same when written together', async () => {
      const base = randomUUID();
      const [one, other] = [`${base}:eu`, base];
      for (const owner of [one, other]) await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
      const grant = (owner: string, key: string) =>
        on.ledger.grant({ owner, tokens: 5, reason: 'r', key, by: BY }).then(({ outcome }) => outcome);
      assert.equal(await grant(one, 'welcome'), 'granted');
      assert.equal(await grant(other, 'eu:welcome'), 'granted');
      for (const [owner, key] of [
        [one, 'welcome'],
        [other, 'eu:welcome'],
      ] as const)
        assert.equal(await grant(owner, key), 'replayed');
      assert.equal((await tokensOf(other))?.balance, 5);
    });

    it('list their entries newest first, page by page, none twice', async () => {
      const owner = await account(0);
      for (const tokens of [1, 2, 3, 4, 5])
        await on.ledger.grant({ owner, tokens, reason: 'r', key: `k${tokens}`, by: BY });
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await on.ledger.listEntries(owner, { cursor, limit: 2 });
        seen.push(...page!.entries.map(({ tokens }) => tokens));
        cursor = page!.nextCursor ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(seen, [5, 4, 3, 2, 1]);
      for (const bad of ['1', 'nonsense', '']) {
        assert.equal(await on.ledger.listEntries(owner, { cursor: bad, limit: 2 }), null);
      }
    });
  });

  describe('a hold', () => {
    it('takes what the call may cost, and leaves the rest to spend', async () => {
      const owner = await account(10_000);
      assert.deepEqual(await hold(owner, randomUUID()), { outcome: 'held', tokens: 3_000 });
      assert.deepEqual(await tokensOf(owner), { balance: 10_000, held: 3_000, available: 7_000 });
    });

    it('takes what there is where that is less, but never under the minimum', async () => {
      const owner = await account(900);
      assert.deepEqual(await hold(owner, randomUUID()), { outcome: 'held', tokens: 900 });
      assert.deepEqual(await hold(owner, randomUUID()), {
        outcome: 'refused',
        refusal: { code: 'no_tokens_remaining', required: 700, available: 0 },
      });
      const poor = await account(250);
      assert.deepEqual(await hold(poor, randomUUID()), {
        outcome: 'refused',
        refusal: { code: 'insufficient_tokens', required: 700, available: 250 },
      });
      assert.deepEqual(await tokensOf(poor), { balance: 250, held: 0, available: 250 });
    });

    it('is the same one when its run asks again, and replaces the one of an earlier run', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      assert.deepEqual(await hold(owner, task, { wanted: 5_000 }), { outcome: 'held', tokens: 3_000 });
      assert.deepEqual(await hold(owner, task, { run: '2', wanted: 5_000 }), { outcome: 'held', tokens: 5_000 });
      assert.deepEqual(await tokensOf(owner), { balance: 10_000, held: 5_000, available: 5_000 });
    });

    it('counts as nothing once it has expired, and its tokens can be held again', async () => {
      const owner = await account(1_000);
      await hold(owner, randomUUID(), { ttlMs: -1 });
      assert.deepEqual(await tokensOf(owner), { balance: 1_000, held: 0, available: 1_000 });
      assert.deepEqual(await hold(owner, randomUUID()), { outcome: 'held', tokens: 1_000 });
    });

    it('is refused without a subscription that is active now', async () => {
      const refusalOf = async (owner: string) => {
        const result = await hold(owner, randomUUID());
        return result.outcome === 'refused' && result.refusal.code;
      };
      const owner = await account(10_000);
      const subscribe = (status: 'active' | 'deactivated' | 'none', expiresAt: Date | null = null) =>
        on.ledger.putAccount(owner, { subscription: { status, expiresAt } }, BY);
      assert.equal(await refusalOf(randomUUID()), 'no_subscription');
      await subscribe('none');
      assert.equal(await refusalOf(owner), 'no_subscription');
      await subscribe('deactivated');
      assert.equal(await refusalOf(owner), 'subscription_deactivated');
      await subscribe('active', new Date(Date.now() - 1_000));
      assert.equal(await refusalOf(owner), 'subscription_expired');
      await subscribe('active', new Date(Date.now() + HOUR));
      assert.equal(await refusalOf(owner), false);
    });
  });

  describe('the end of a generation', () => {
    it('charges what was used, once however often it is told, and frees the rest', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      const first = await end(owner, task, byAi(600));
      assert.deepEqual([first.tokensCharged, first.tokensAvailable], [600, 9_400]);
      assert.deepEqual(await end(owner, task, byAi(600)), first);
      assert.deepEqual(await end(owner, task, byAi(900, 'another')), first);
      assert.deepEqual(await tokensOf(owner), { balance: 9_400, held: 0, available: 9_400 });
      assert.equal((await charges(owner)).length, 1);
    });

    it('never charges more than was held', async () => {
      const owner = await account(800);
      const task = randomUUID();
      await hold(owner, task);
      assert.equal((await end(owner, task, byAi(5_000))).tokensCharged, 800);
      assert.deepEqual(await tokensOf(owner), { balance: 0, held: 0, available: 0 });
    });

    it('charges nothing for a fallback, a cancelled one or one that was never held', async () => {
      const owner = await account(10_000);
      for (const how of [FALLBACK, CANCELLED]) {
        const task = randomUUID();
        await hold(owner, task);
        assert.equal((await end(owner, task, how)).tokensCharged, 0);
      }
      assert.equal((await end(owner, randomUUID(), byAi(600))).tokensCharged, 0);
      assert.deepEqual(await tokensOf(owner), { balance: 10_000, held: 0, available: 10_000 });
      assert.deepEqual(await charges(owner), []);
    });

    it('stays a paid prompt, whatever comes later', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      const paid = await end(owner, task, byAi(600));
      for (const how of [CANCELLED, FALLBACK]) assert.deepEqual(await end(owner, task, how), paid);
      await hold(owner, task, { run: '2' });
      assert.deepEqual(await end(owner, task, byAi(700)), paid);
      assert.deepEqual(await tokensOf(owner), { balance: 9_400, held: 0, available: 9_400 });
    });

    it('of a failed task gives way to a prompt that a repeated run brought, which is charged once', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      await end(owner, task, CANCELLED);
      await hold(owner, task, { run: '2' });
      const again = await end(owner, task, byAi(600));
      assert.deepEqual([again.status, again.tokensCharged], ['completed', 600]);
      assert.deepEqual(await tokensOf(owner), { balance: 9_400, held: 0, available: 9_400 });
    });

    it('that a reader stored who could not know the run holds for the first one, and not for one that began anew', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      const told = await end(owner, task, { status: 'failed', failure: { code: 'timed_out' } });
      assert.deepEqual(await end(owner, task, byAi(600), 'first'), told);
      assert.deepEqual(await end(owner, task, CANCELLED, 'first'), told);
      assert.deepEqual(await tokensOf(owner), { balance: 10_000, held: 0, available: 10_000 });
      await hold(owner, task, { run: '2' });
      const anew = { taskId: task, owner, end: byAi(600), runId: 'reset', repeated: true };
      assert.equal((await on.ledger.endGeneration(anew)).tokensCharged, 600);
    });

    it('stays what was told of its run, also where a worker stores the prompt of that run after it', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      const told = await end(owner, task, CANCELLED, 'terminated');
      assert.deepEqual(await end(owner, task, byAi(600), 'terminated'), told);
      assert.deepEqual(await tokensOf(owner), { balance: 10_000, held: 0, available: 10_000 });
      await hold(owner, task, { run: '2' });
      assert.equal((await end(owner, task, byAi(600), 'reset')).tokensCharged, 600);
    });

    it('that comes after its hold expired charges what is still there, never below zero', async () => {
      const owner = await account(1_000);
      const [late, other] = [randomUUID(), randomUUID()];
      await hold(owner, late, { ttlMs: -1 });
      await hold(owner, other, { wanted: 800 });
      assert.equal((await end(owner, late, byAi(600))).tokensCharged, 200);
      assert.equal((await end(owner, other, byAi(800))).tokensCharged, 800);
      assert.deepEqual(await tokensOf(owner), { balance: 0, held: 0, available: 0 });
    });

    it('can be read back as it was stored', async () => {
      const owner = await account(10_000);
      for (const how of [byAi(600), FALLBACK, CANCELLED]) {
        const task = randomUUID();
        const createdAt = new Date('2026-01-02T03:04:05.678Z');
        await on.ledger.beginGeneration({ taskId: task, owner, manualPrompt: 'Be kind.', createdAt });
        await hold(owner, task);
        const ended = await end(owner, task, how);
        const row = await on.ledger.getGeneration(task);
        assert.deepEqual(row, { ...row!, owner, manualPrompt: 'Be kind.', createdAt, ended });
        assert.deepEqual({ ...ended, ...how }, ended);
      }
    });
  });

  describe('the start of a generation', () => {
    const begin = (owner: string, taskId = randomUUID()) =>
      on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'Be kind.', createdAt: new Date() });

    it('finds the newest template of the business type, whatever its case', async () => {
      const type = `Shoe ${randomUUID()}`;
      const owner = await account(0, type.toUpperCase());
      assert.deepEqual(await begin(owner), { businessType: type.toUpperCase(), template: null, ended: null });
      assert.equal((await on.ledger.putTemplate(type, 'one', BY)).version, 1);
      assert.equal((await on.ledger.putTemplate(type.toLowerCase(), 'two', BY)).version, 2);
      assert.equal((await on.ledger.putTemplate(type, 'two', BY)).version, 2);
      assert.deepEqual((await begin(owner)).template, { text: 'two', version: 2 });
    });

    it('works for an owner without an account, and twice for the same task', async () => {
      const [owner, task] = [randomUUID(), randomUUID()];
      const nothing = { businessType: null, template: null, ended: null };
      assert.deepEqual(await begin(owner, task), nothing);
      assert.deepEqual(await begin(owner, task), nothing);
    });

    it('tells of the prompt that the task already has', async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await begin(owner, task);
      await hold(owner, task);
      const ended = await end(owner, task, byAi(600));
      assert.deepEqual((await begin(owner, task)).ended, ended);
    });
  });

  it('gives every process the same key', async () => {
    const [one, two] = await Promise.all([on.ledger.sharedKey('k'), on.ledger.sharedKey('k')]);
    assert.deepEqual(one, two);
    assert.equal(one.length, 32);
    assert.notDeepEqual(await on.ledger.sharedKey('other'), one);
  });

  for (const table of ['entries', 'holds', 'hold_resolutions']) {
    it(`lets nobody change or delete a row of ${table}`, async () => {
      const owner = await account(10_000);
      const task = randomUUID();
      await hold(owner, task);
      await end(owner, task, byAi(600));
      await assert.rejects(on.db.query(`UPDATE ${table} SET created_at = now()`), /append-only/);
      await assert.rejects(on.db.query(`DELETE FROM ${table}`), /append-only/);
    });
  }
});
