import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { Queryable } from '../../src/ledger/database.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import { eventually } from '../support/eventually.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';

/** Longer than a statement may take otherwise. */
const LONG_S = 5.5;

describe('A PostgreSQL', () => {
  let server: PostgresServer;
  before(async function () {
    this.timeout(60_000);
    server = await startPostgres();
  });
  after(() => server.remove());

  it('has the time that a transaction asks for, which is longer than usual, and in that one alone', async () => {
    const db = openPostgres(server.url, pino({ level: 'silent' }));
    const limitOf = (tx: Queryable) => tx.query<{ statement_timeout: string }>('SHOW statement_timeout');
    try {
      const usual = await limitOf(db);
      const asked = await db.transaction(
        async (tx) => {
          await tx.query('SELECT pg_sleep($1)', [LONG_S]);
          await tx.run(`SELECT pg_sleep(${LONG_S})`);
          return limitOf(tx);
        },
        { statementMs: 60_000 },
      );
      assert.deepEqual(asked, [{ statement_timeout: '1min' }]);
      assert.deepEqual(await limitOf(db), usual);
      assert.notDeepEqual(usual, asked);
    } finally {
      await db.close();
    }
  });

  it('is kept from nothing for long by a process that stops in the middle of a transaction', async function () {
    this.timeout(60_000);
    const db = openPostgres(server.url, pino({ level: 'silent' }));
    try {
      await db.run('CREATE TABLE locked (n integer); INSERT INTO locked VALUES (1)');
      const change = (tx: Queryable) => tx.query('UPDATE locked SET n = n + 1 RETURNING n');
      const stopped = db.transaction(async (tx) => {
        await change(tx);
        await eventually(() => change(db), { timeoutMs: 30_000 });
        return change(tx);
      });
      await assert.rejects(stopped, /connection/);
      assert.deepEqual(await change(db), [{ n: 3 }], 'nothing of it was kept');
    } finally {
      await db.close();
    }
  });

  it('that goes away in the middle of a transaction fails that one alone, and the next one works when it is back', async () => {
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
