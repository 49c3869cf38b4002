import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { atStep, queuedSnapshot, type GenerationEnd } from '../../src/contract/snapshot.js';
import type { Database } from '../../src/ledger/database.js';
import { endGeneration } from '../../src/ledger/end-generation.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import type { Ledger } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';
import { freshPostgres } from '../support/postgres.js';

const AT = '2026-11-24T08:00:00.000Z';
const END: GenerationEnd = {
  status: 'completed',
  prompt: 'p',
  generatedByAi: true,
  model: 'm',
  usage: { prompt_tokens: 0, completion_tokens: 5, total_tokens: 5 },
};

describe('A task whose end is being stored by a process that has little time for it', () => {
  let db: Database;
  let ledger: Ledger;
  before(async function () {
    this.timeout(60_000);
    db = openPostgres(await freshPostgres(), pino({ level: 'silent' }));
    await migrate(db);
    ledger = createLedger(db);
  });
  after(() => db.close());

  it('can be told of until all but the last of it is done', async () => {
    const [taskId, owner] = [randomUUID(), randomUUID()];
    await ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
    await ledger.grant({ owner, tokens: 100, reason: 'r', key: 'first', by: BY });
    await ledger.hold({ holdId: randomUUID(), taskId, owner, minimum: 10, wanted: 10, ttlMs: 3_600_000 });
    let snapshot = queuedSnapshot({ taskId, owner, createdAt: AT });
    let statements = 0;
    await db.transaction((tx) =>
      endGeneration(
        {
          run: (script) => tx.run(script),
          async query(text, params) {
            snapshot = atStep(snapshot, 'generating', AT);
            // It would fail where it has to wait for the transaction.
            await ledger.shareTold({ snapshot, asOf: AT });
            statements += 1;
            return tx.query(text, params);
          },
        },
        { taskId, owner, end: END },
      ),
    );
    assert.ok(statements >= 4, `${statements} statements`);
    assert.deepEqual(await ledger.newsOf([{ taskId, seq: -1 }]), [{ told: null, ended: true }]);
  });
});
