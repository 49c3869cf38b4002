import { pino } from 'pino';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import { openPostgres } from '../../src/ledger/postgres.js';
import type { Ledger } from '../../src/ledger/types.js';
import { freshPostgres } from '../support/postgres.js';

const quiet = pino({ level: 'silent' });

/** Both databases the ledger runs on; each call opens a new, empty one. */
export const DATABASES: Record<string, () => Promise<Database>> = {
  'the embedded database': () => openEmbeddedDatabase(),
  PostgreSQL: async () => openPostgres(await freshPostgres(), quiet),
};

/** What a suite works with; set before its first test. */
export interface Ledgers {
  db: Database;
  ledger: Ledger;
}

/** Runs the same suite on each database. */
export function onEachDatabase(what: string, suite: (on: Ledgers) => void): void {
  for (const [name, open] of Object.entries(DATABASES)) {
    describe(`${what}, on ${name}`, () => {
      const on = {} as Ledgers;
      before('open and migrate the database', async function () {
        this.timeout(60_000);
        on.db = await open();
        await migrate(on.db);
        on.ledger = createLedger(on.db);
      });
      after(() => on.db.close());
      suite(on);
    });
  }
}
