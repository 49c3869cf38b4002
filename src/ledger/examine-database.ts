import { OVERDUE_MS } from '../contract/limits.js';
import { onlyRow, type Queryable } from './database.js';
import { MIGRATIONS } from './migrations/index.js';
import type { DatabaseFacts } from './support-types.js';

/** How long ago an end may be to say something about now, in minutes. */
export const RECENT_MINUTES = 15;

/** See `SupportLedger.examine`. Cheap, however much there is: each part is read by an index. */
export async function examineDatabase(db: Queryable): Promise<DatabaseFacts> {
  const facts = onlyRow(
    await db.query<Omit<DatabaseFacts, 'migrations' | 'recent'>>(
      `SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
         (SELECT count(*) FROM generations
          WHERE ended_at IS NULL AND created_at < now() - $1 * interval '1 millisecond') AS "stuckTasks",
         (SELECT count(*) FROM open_holds WHERE expires_at < now() - interval '2 minutes') AS "leftHolds"`,
      [OVERDUE_MS],
    ),
  );
  const recent = onlyRow(
    await db.query<DatabaseFacts['recent']>(
      `SELECT count(*) FILTER (WHERE generated_by_ai) AS completed,
         count(*) FILTER (WHERE status = 'completed' AND NOT generated_by_ai) AS fallback,
         count(*) FILTER (WHERE failure->>'code' IN ('internal', 'timed_out')) AS failed,
         mode() WITHIN GROUP (ORDER BY reason) AS reason
       FROM generations
       WHERE (created_at AT TIME ZONE 'UTC') >= (now() - $1 * interval '1 minute') AT TIME ZONE 'UTC'
         AND ended_at IS NOT NULL AND cached_from IS NULL`,
      [RECENT_MINUTES],
    ),
  );
  const applied = await db.query<{ version: number }>('SELECT version FROM migrations');
  const versions = new Set(applied.map(({ version }) => version));
  const missing = MIGRATIONS.filter(({ version }) => !versions.has(version)).map(({ name }) => name);
  return { ...facts, recent, migrations: { applied: versions.size, known: MIGRATIONS.length, missing } };
}
