import assert from 'node:assert/strict';
import { pino } from 'pino';
import { migrate } from '../../src/ledger/migrate.js';
import { MIGRATIONS } from '../../src/ledger/migrations/index.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import { gate } from '../support/gate.js';
import { freshPostgres } from '../support/postgres.js';
import { DATABASES } from './databases.js';

describe('Migrations', () => {
  it('are numbered without a gap', () => {
    assert.deepEqual(
      MIGRATIONS.map(({ version }) => version),
      MIGRATIONS.map((_, index) => index + 1),
    );
  });

  it('are applied once by processes that start at the same time', async () => {
    const url = await freshPostgres();
    const log = pino({ level: 'silent' });
    const processes = Array.from({ length: 5 }, () => openPostgres(url, log));
    try {
      await Promise.all(processes.map((db) => migrate(db)));
      const applied = await processes[0]!.query<{ version: number }>('SELECT version FROM migrations ORDER BY version');
      assert.deepEqual(
        applied.map(({ version }) => version),
        MIGRATIONS.map(({ version }) => version),
      );
    } finally {
      await Promise.all(processes.map((db) => db.close()));
    }
  });

  for (const [name, open] of Object.entries(DATABASES)) {
    it(`go on from where the database is, leave nothing half-done, and refuse a newer one, on ${name}`, async function () {
      this.timeout(60_000);
      const db = await open();
      try {
        await migrate(db);
        const next = { version: MIGRATIONS.length + 1, name: 'next', sql: 'CREATE TABLE next (id integer)' };
        const broken = { ...next, sql: `${next.sql}; SELECT nonsense` };
        const after = { ...broken, version: next.version + 1, sql: 'CREATE TABLE after (id integer); SELECT nonsense' };
        await assert.rejects(migrate(db, [...MIGRATIONS, broken]), /nonsense/);
        await assert.rejects(migrate(db, [...MIGRATIONS, next, after]), /nonsense/);
        await db.run('INSERT INTO next VALUES (1)');
        await assert.rejects(db.run('INSERT INTO after VALUES (1)'), /exist/);
        await migrate(db, [...MIGRATIONS, next]);
        await assert.rejects(migrate(db), /newer version \(\d+, next\)/);
      } finally {
        await db.close();
      }
    });
  }

  it('fail where a table is in use for long, so that nobody waits behind them', async function () {
    this.timeout(60_000);
    const db = openPostgres(await freshPostgres(), pino({ level: 'silent' }));
    const next = { version: MIGRATIONS.length + 1, name: 'next', sql: 'ALTER TABLE starts ADD COLUMN next integer' };
    const used = gate();
    try {
      await migrate(db);
      const locked = gate();
      const using = db.transaction(async (tx) => {
        await tx.query('SELECT count(*) FROM starts');
        locked.open();
        await used.opened;
      });
      await locked.opened;
      await assert.rejects(migrate(db, [...MIGRATIONS, next]), /lock timeout/);
      await db.query('SELECT count(*) FROM starts');
      used.open();
      await using;
      await migrate(db, [...MIGRATIONS, next]);
    } finally {
      used.open();
      await db.close();
    }
  });
});
