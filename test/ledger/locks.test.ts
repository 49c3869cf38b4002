import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { atStep, queuedSnapshot, type RunningSnapshot } from '../../src/contract/snapshot.js';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import { publishTold } from '../../src/ledger/told.js';
import type { Ledger } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';
import { byAi } from '../support/ends.js';
import { gate } from '../support/gate.js';
import { freshPostgres } from '../support/postgres.js';

const AT = '2026-11-24T08:00:00.000Z';
/** More than a process has connections. */
const MANY = 30;

describe('A transaction that takes its time', () => {
  let db: Database;
  let ledger: Ledger;
  before(async function () {
    this.timeout(60_000);
    db = openPostgres(await freshPostgres(), pino({ level: 'silent' }));
    await migrate(db);
    ledger = createLedger(db);
  });
  after(() => db.close());

  const newOwner = async (): Promise<string> => {
    const owner = randomUUID();
    await ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
    await ledger.grant({ owner, tokens: 100, reason: 'r', key: 'first', by: BY });
    return owner;
  };
  const hold = (owner: string, taskId: string = randomUUID()) =>
    ledger.hold({ holdId: randomUUID(), taskId, owner, minimum: 10, wanted: 10, ttlMs: 3_600_000 });

  /** A ledger whose transactions have this happen before each of their statements, and wait for it. */
  const slowLedger = (meanwhile: () => Promise<unknown>): { slow: Ledger; statements: () => number } => {
    let statements = 0;
    const slow = createLedger({
      ...db,
      transaction: (work, limits) =>
        db.transaction(
          (tx) =>
            work({
              run: (script) => tx.run(script),
              async query(text, params) {
                // It would fail where it has to wait for the transaction.
                await meanwhile();
                statements += 1;
                return tx.query(text, params);
              },
            }),
          limits,
        ),
    });
    return { slow, statements: () => statements };
  };
  /** Of a task that goes on and on. */
  const stepsOf = (taskId: string, owner: string): (() => RunningSnapshot) => {
    let snapshot = queuedSnapshot({ taskId, owner, createdAt: AT });
    return () => (snapshot = atStep(snapshot, 'generating', AT));
  };

  it('to store an end keeps nobody from telling of the task until its last statement', async () => {
    const [owner, taskId] = [await newOwner(), randomUUID()];
    await hold(owner, taskId);
    const step = stepsOf(taskId, owner);
    const { slow, statements } = slowLedger(() => ledger.shareTold({ snapshot: step(), asOf: AT }));
    await slow.endGeneration({ taskId, owner, end: byAi(5) });
    assert.ok(statements() >= 4, `${statements()} statements`);
    assert.deepEqual(await ledger.newsOf([{ taskId, seq: -1 }]), [{ told: null, ended: true }]);
  });

  it('to erase an owner keeps no worker from announcing, also a step of that owner', async () => {
    const [owner, taskId] = [await newOwner(), randomUUID()];
    await ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt: new Date() });
    const { erasure } = await ledger.requestErasure(owner, BY);
    const step = stepsOf(taskId, owner);
    const { slow, statements } = slowLedger(() => publishTold(db, 'a message', [step()]));
    await slow.eraseData(erasure.id);
    assert.ok(statements() >= 8, `${statements()} statements`);
    assert.deepEqual(await ledger.newsOf([{ taskId, seq: -1 }]), [{ told: null, ended: false }]);
  });

  it('keeps the steps of its owner waiting, however many there are, and nobody else’s', async () => {
    const [locked, other] = [await newOwner(), await newOwner()];
    const [isLocked, mayEnd] = [gate(), gate()];
    const locking = db.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM accounts WHERE owner = $1 FOR UPDATE', [locked]);
      isLocked.open();
      await mayEnd.opened;
    });
    await isLocked.opened;
    let settled = 0;
    const waiting = Array.from({ length: MANY }, () => hold(locked).finally(() => (settled += 1)));
    assert.equal((await hold(other)).outcome, 'held');
    assert.equal(settled, 0, 'they still wait');
    mayEnd.open();
    await locking;
    await Promise.all(waiting);
  });
});
