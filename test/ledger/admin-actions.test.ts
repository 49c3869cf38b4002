import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createLedger } from '../../src/ledger/ledger.js';
import { onEachDatabase } from './databases.js';

const AT_ONCE = 20;

onEachDatabase('Admin actions', (on) => {
  const by = { actor: `admin ${randomUUID()}`, requestId: 'r' };
  const actionsOn = async (target: string) => (await on.ledger.listActions({ target, limit: 100 }))!.actions;

  it('tell what was set of an account, and what it was before', async () => {
    const owner = randomUUID();
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    await on.ledger.putAccount(owner, {}, by);
    await on.ledger.putAccount(owner, { businessType: 'Shoes', subscription: { status: 'active', expiresAt } }, by);
    await on.ledger.putAccount(owner, { businessType: 'Shoes' }, by);
    const none = { business_type: null, subscription: { status: 'none', expires_at: null } };
    const all = { business_type: 'Shoes', subscription: { status: 'active', expires_at: '2030-01-01T00:00:00.000Z' } };
    const actions = await actionsOn(owner);
    assert.deepEqual(
      actions.map(({ details }) => details),
      [
        { before: none, after: all },
        { before: null, after: none },
      ],
      'the third changed nothing',
    );
    const { id, at, details: _, ...first } = actions[1]!;
    assert.deepEqual(first, { ...by, action: 'put_account', target: owner });
    assert.ok(at instanceof Date && Number(id) > 0, id);
  });

  it('tell of each grant once, and of none that was refused', async () => {
    const owner = randomUUID();
    const grant = (tokens: number, key = 'k') => on.ledger.grant({ owner, tokens, reason: 'gift', key, by });
    assert.equal((await grant(5)).outcome, 'unknown_account');
    assert.deepEqual(await actionsOn(owner), []);
    await on.ledger.putAccount(owner, {}, by);
    const [first] = await Promise.all(Array.from({ length: AT_ONCE }, () => grant(5)));
    assert.equal((await grant(6)).outcome, 'key_reused');
    const grants = (await actionsOn(owner)).filter(({ action }) => action === 'grant_tokens');
    const entry_id = 'entry' in first! && first.entry.id;
    assert.deepEqual(
      grants.map(({ details }) => details),
      [{ tokens: 5, reason: 'gift', entry_id, balance_after: 5 }],
    );
  });

  it('tell of each version of a template, and nothing of its text', async () => {
    const type = `Type ${randomUUID()}`;
    await on.ledger.putTemplate(type, 'secret', by);
    await on.ledger.putTemplate(type.toUpperCase(), 'secrets 👟', by);
    await on.ledger.putTemplate(type, 'secrets 👟', by);
    const actions = await actionsOn(type.toLowerCase());
    assert.deepEqual(
      actions.map(({ details }) => details),
      [
        { version: 2, characters: 9 },
        { version: 1, characters: 6 },
      ],
    );
  });

  it('are one with the change: where the line can not be written, nothing was done', async () => {
    const owner = randomUUID();
    await on.ledger.putAccount(owner, { businessType: 'Before' }, by);
    // No actor: the table refuses the line.
    const nobody = { actor: null as unknown as string, requestId: 'r' };
    const attempts = [
      () => on.ledger.putAccount(owner, { businessType: 'After' }, nobody),
      () => on.ledger.putAccount(`${owner} new`, {}, nobody),
      () => on.ledger.grant({ owner, tokens: 5, reason: 'r', key: 'k', by: nobody }),
      () => on.ledger.putTemplate(owner, 'text', nobody),
    ];
    for (const attempt of attempts) await assert.rejects(attempt, /actor/);
    const account = await on.ledger.getAccount(owner);
    assert.deepEqual([account?.businessType, account?.tokens.balance], ['Before', 0]);
    assert.equal(await on.ledger.getAccount(`${owner} new`), null);
    assert.equal((await on.ledger.putTemplate(owner, 'other', by)).version, 1);
  });

  it('can tell of what is no change of the ledger', async () => {
    const target = randomUUID();
    await on.ledger.recordAction({ by, action: 'something', target, details: { why: 'asked' } });
    const [action] = await actionsOn(target);
    assert.deepEqual([action?.action, action?.details], ['something', { why: 'asked' }]);
  });

  it('are listed newest first, page by page, of a target or an actor', async () => {
    const one = { actor: `one ${randomUUID()}`, requestId: null };
    for (const n of [1, 2, 3, 4, 5]) {
      await on.ledger.recordAction({ by: n === 3 ? by : one, action: 'a', target: one.actor, details: { n } });
    }
    const read = async (query: { actor?: string; target?: string }) => {
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await on.ledger.listActions({ ...query, cursor, limit: 2 });
        assert.ok(page);
        seen.push(...page.actions.map(({ details }) => details.n));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return seen;
    };
    assert.deepEqual(await read({ target: one.actor }), [5, 4, 3, 2, 1]);
    assert.deepEqual(await read({ actor: one.actor }), [5, 4, 2, 1]);
    assert.deepEqual(await read({ actor: by.actor, target: one.actor }), [3]);
    assert.equal(await on.ledger.listActions({ cursor: 'nonsense', limit: 2 }), null);
    const entries = Buffer.from('entry:1').toString('base64url');
    assert.equal(await on.ledger.listActions({ cursor: entries, limit: 2 }), null, "a ledger's cursor is another one");
  });

  it('can not be changed, removed or emptied, nor can any line of money', async () => {
    const owner = randomUUID();
    const ledger = createLedger(on.db);
    await ledger.putAccount(owner, { subscription: { status: 'active' } }, by);
    await ledger.grant({ owner, tokens: 700, reason: 'r', key: 'k', by });
    await ledger.hold({ holdId: owner, taskId: owner, owner, minimum: 700, wanted: 700, ttlMs: 60_000 });
    await ledger.endGeneration({ taskId: owner, owner, end: { status: 'failed', failure: { code: 'cancelled' } } });
    const columns = { admin_actions: 'actor', entries: 'reason', holds: 'task_id', hold_resolutions: 'resolution' };
    for (const [table, column] of Object.entries(columns)) {
      const count = async () => (await on.db.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n;
      const before = await count();
      assert.ok(before, `${table} has lines`);
      for (const statement of [
        `UPDATE ${table} SET ${column} = ${column}`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ]) {
        await assert.rejects(on.db.query(statement), /is append-only/, statement);
      }
      assert.equal(await count(), before, table);
    }
  });
});
