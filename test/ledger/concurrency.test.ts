import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { assertInvariants } from './invariants.js';
import { onEachDatabase } from './databases.js';
import { BY } from '../support/by.js';
import { byAi } from '../support/ends.js';

const AT_ONCE = 50;

onEachDatabase('Fifty operations at once', (on) => {
  const account = async (tokens: number): Promise<string> => {
    const owner = randomUUID();
    await on.ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner, tokens, reason: 'r', key: 'first', by: BY });
    return owner;
  };
  const hold = (owner: string, taskId: string, wanted = 700) =>
    on.ledger.hold({ holdId: `${taskId}/1`, taskId, owner, minimum: 700, wanted, ttlMs: 3_600_000 });
  const times = <T>(work: (n: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, n) => work(n)));

  it('hold no more than there is', async () => {
    const owner = await account(10 * 700 + 699);
    const results = await times(() => hold(owner, randomUUID()));
    assert.equal(results.filter(({ outcome }) => outcome === 'held').length, 10);
    assert.deepEqual((await on.ledger.getAccount(owner))?.tokens, { balance: 7_699, held: 7_000, available: 699 });
    await assertInvariants(on.db, owner);
  });

  it('of one task hold once, and charge once', async () => {
    const owner = await account(10_000);
    const task = randomUUID();
    await times(() => hold(owner, task));
    assert.equal((await on.ledger.getAccount(owner))?.tokens.held, 700);
    const ends = await times(() => on.ledger.endGeneration({ taskId: task, owner, end: byAi(600) }));
    for (const end of ends) assert.deepEqual(end, ends[0]);
    assert.deepEqual((await on.ledger.getAccount(owner))?.tokens, { balance: 9_400, held: 0, available: 9_400 });
    await assertInvariants(on.db, owner);
  });

  it('of one grant add once', async () => {
    const owner = await account(1);
    const results = await times(() => on.ledger.grant({ owner, tokens: 5, reason: 'r', key: 'k', by: BY }));
    assert.equal(results.filter(({ outcome }) => outcome === 'granted').length, 1);
    assert.equal((await on.ledger.getAccount(owner))?.tokens.balance, 6);
  });

  it('of one template make one version each', async () => {
    const type = randomUUID();
    const versions = (await times((n) => on.ledger.putTemplate(type, `text ${n}`, BY))).map(({ version }) => version);
    assert.deepEqual(
      versions.sort((a, b) => a - b),
      Array.from({ length: AT_ONCE }, (_, n) => n + 1),
    );
  });

  it('of every kind, on a few accounts, leave all sums right', async function () {
    this.timeout(60_000);
    const owners = await Promise.all([account(5_000), account(20_000), account(700)]);
    for (let round = 0; round < 5; round += 1) {
      await times(async (n) => {
        const owner = owners[n % owners.length]!;
        const taskId = randomUUID();
        if (n % 10 === 0) await on.ledger.grant({ owner, tokens: 900, reason: 'r', key: `${round} ${n}`, by: BY });
        const held = await hold(owner, taskId, 700 + n * 10);
        if (held.outcome === 'refused') return;
        const end: GenerationEnd =
          n % 3 === 0 ? { status: 'failed', failure: { code: 'cancelled' } } : byAi(300 + n * 20);
        const both = () => on.ledger.endGeneration({ taskId, owner, end });
        const [one, two] = await Promise.all([both(), both()]);
        assert.deepEqual(one, two);
        assert.ok(one.tokensCharged <= held.tokens);
      });
      for (const owner of owners) await assertInvariants(on.db, owner);
    }
    for (const owner of owners) assert.equal((await on.ledger.getAccount(owner))?.tokens.held, 0);
  });
});
