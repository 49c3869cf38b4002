import type { Database, Queryable } from './database.js';
import { MIGRATIONS, type Migration } from './migrations/index.js';

/** Any number, the same in every version: whoever migrates this database waits for the one who began first. */
const LOCK = 7_233_700_001;
/** An index over millions of rows takes minutes, and so long the others wait. */
const STATEMENT_MS = 60 * 60_000;
/**
 * While a change of a table waits for who uses it, all others wait behind it, the processes of the older version too: better
 * to fail and be started again.
 */
const LOCK_MS = 4_000;

/**
 * Brings the database to this code's version, each migration in a transaction of its own; many processes may do so at once.
 * @throws Error where the database is newer than the code, or a table is in use for long.
 */
export async function migrate(db: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const limits = { statementMs: STATEMENT_MS };
  while (await db.transaction((tx) => applyNext(tx, migrations), limits));
}

/** Applies the first migration that is missing; false: there is none. */
async function applyNext(tx: Queryable, migrations: readonly Migration[]): Promise<boolean> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await tx.query(`SET LOCAL lock_timeout = ${LOCK_MS}`);
  await tx.query(`CREATE TABLE IF NOT EXISTS migrations (
    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const applied = await tx.query<Pick<Migration, 'version' | 'name'>>('SELECT version, name FROM migrations');
  const known = new Set(migrations.map(({ version }) => version));
  const newer = applied.find(({ version }) => !known.has(version));
  if (newer)
    throw new Error(`The database was migrated by a newer version (${newer.version}, ${newer.name}); start that one.`);
  const done = new Set(applied.map(({ version }) => version));
  const next = migrations.find(({ version }) => !done.has(version));
  if (!next) return false;
  await tx.run(next.sql);
  await tx.query('INSERT INTO migrations (version, name) VALUES ($1, $2)', [next.version, next.name]);
  return true;
}
