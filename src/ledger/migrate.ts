import type { Database } from './database.js';
import { MIGRATIONS, type Migration } from './migrations/index.js';

/** Any number, the same in every version: whoever migrates this database waits for the one who began first. */
const LOCK = 7_233_700_001;
/** An index over millions of rows takes minutes, and so long the others wait. */
const STATEMENT_MS = 60 * 60_000;

/**
 * Brings the database to this code's version, in one transaction; many processes may do so at once.
 * @throws Error where the database is newer than the code.
 */
export async function migrate(db: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await db.transaction(
    async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      await tx.query(`CREATE TABLE IF NOT EXISTS migrations (
      version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
      const applied = await tx.query<Pick<Migration, 'version' | 'name'>>('SELECT version, name FROM migrations');
      const known = new Set(migrations.map(({ version }) => version));
      const newer = applied.find(({ version }) => !known.has(version));
      if (newer) {
        throw new Error(
          `The database was migrated by a newer version (${newer.version}, ${newer.name}); start that one.`,
        );
      }
      const done = new Set(applied.map(({ version }) => version));
      for (const { version, name, sql } of migrations.filter((migration) => !done.has(migration.version))) {
        await tx.run(sql);
        await tx.query('INSERT INTO migrations (version, name) VALUES ($1, $2)', [version, name]);
      }
    },
    { statementMs: STATEMENT_MS },
  );
}
