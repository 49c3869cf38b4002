import assert from 'node:assert/strict';
import { pino } from 'pino';
import { openPostgres } from '../../src/ledger/postgres.js';
import { eventually } from '../support/eventually.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';

describe('A PostgreSQL that goes away', () => {
  let server: PostgresServer;
  before(async function () {
    this.timeout(60_000);
    server = await startPostgres();
  });
  after(() => server.remove());

  it('in the middle of a transaction fails that one alone, and the next one works when it is back', async () => {
    const db = openPostgres(server.url, pino({ level: 'silent' }));
    try {
      const broken = db.transaction(async (tx) => {
        await tx.query('SELECT 1');
        await server.kill();
        await eventually(() => assert.rejects(tx.query('SELECT 1')));
        throw new Error('the connection broke');
      });
      await assert.rejects(broken, /the connection broke/);
      await server.start();
      assert.deepEqual(await db.transaction((tx) => tx.query('SELECT 1 AS one')), [{ one: 1 }]);
    } finally {
      await db.close();
    }
  });
});
