import assert from 'node:assert/strict';
import { pino } from 'pino';
import { migrate } from '../../src/ledger/migrate.js';
import { MIGRATIONS } from '../../src/ledger/migrations/index.js';
import { openPostgres } from '../../src/ledger/postgres.js';
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
        await assert.rejects(migrate(db, [...MIGRATIONS, broken]), /nonsense/);
        await migrate(db, [...MIGRATIONS, next]);
        await migrate(db, [...MIGRATIONS, next]);
        await assert.rejects(migrate(db), /newer version \(\d+, next\)/);
      } finally {
        await db.close();
      }
    });
  }
});
