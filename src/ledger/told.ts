import type { RunningSnapshot } from '../contract/snapshot.js';
import { MESSAGES_CHANNEL } from './channels.js';
import { FORGOTTEN_AT_ONCE, onlyRow, type Queryable } from './database.js';
import type { Ledger, ToldNews } from './types.js';

/** See `Ledger.shareTold`. */
export async function shareTold(
  db: Queryable,
  { snapshot, asOf }: Parameters<Ledger['shareTold']>[0],
): ReturnType<Ledger['shareTold']> {
  const { task_id: taskId, seq, repeated = false } = snapshot;
  // The SELECT sees what there was before the statement. Of a task that has ended nothing more is kept, unless it began anew.
  const rows = await db.query<NewsRow>(
    `WITH kept AS (
       INSERT INTO told (task_id, seq, snapshot, as_of)
         SELECT $1::text, $2::integer, $3::jsonb, $4::timestamptz
         WHERE $5::boolean OR NOT EXISTS (SELECT 1 FROM generations WHERE task_id = $1 AND ended_at IS NOT NULL)
       ON CONFLICT (task_id) DO UPDATE SET seq = EXCLUDED.seq, snapshot = EXCLUDED.snapshot, as_of = EXCLUDED.as_of
         WHERE told.seq < EXCLUDED.seq)
     SELECT told.snapshot, told.as_of, g.ended_at IS NOT NULL AS ended
     FROM (SELECT $1::text AS task_id) asked
     LEFT JOIN told USING (task_id) LEFT JOIN generations g USING (task_id)`,
    [taskId, seq, JSON.stringify(snapshot), asOf, repeated],
  );
  return newsIn(onlyRow(rows));
}

/** See `Ledger.newsOf`. */
export async function newsOf(db: Queryable, known: Parameters<Ledger['newsOf']>[0]): ReturnType<Ledger['newsOf']> {
  const rows = await db.query<NewsRow & { n: number }>(
    `SELECT n::integer, told.snapshot, told.as_of, g.ended_at IS NOT NULL AS ended
     FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS known (task_id, seq, n)
     LEFT JOIN told ON told.task_id = known.task_id AND told.seq > known.seq
     LEFT JOIN generations g ON g.task_id = known.task_id AND g.ended_at IS NOT NULL
     WHERE told.task_id IS NOT NULL OR g.task_id IS NOT NULL`,
    [known.map(({ taskId }) => taskId), known.map(({ seq }) => seq)],
  );
  const news = new Map(rows.map((row) => [row.n, newsIn(row)]));
  return known.map((_, index) => news.get(index + 1) ?? { told: null, ended: false });
}

interface NewsRow {
  snapshot: RunningSnapshot | null;
  as_of: Date | null;
  ended: boolean;
}

const newsIn = ({ snapshot, as_of, ended }: NewsRow): ToldNews => ({
  told: snapshot && as_of ? { snapshot, asOf: as_of.toISOString() } : null,
  ended,
});

/** Sends a message to all API processes, and keeps the states in it, unless newer ones were kept: both or nothing. */
export async function publishTold(db: Queryable, message: string, states: RunningSnapshot[]): Promise<void> {
  await db.query(
    `WITH kept AS (
       INSERT INTO told (task_id, seq, snapshot, as_of)
         SELECT s ->> 'task_id', (s ->> 'seq')::integer, s, now() FROM jsonb_array_elements($2::jsonb) s ORDER BY 1
       ON CONFLICT (task_id) DO UPDATE SET seq = EXCLUDED.seq, snapshot = EXCLUDED.snapshot, as_of = EXCLUDED.as_of
         WHERE told.seq < EXCLUDED.seq)
     SELECT pg_notify('${MESSAGES_CHANNEL}', $1)`,
    [message, JSON.stringify(states)],
  );
}

/** See `Ledger.forgetOldTold`. */
export async function forgetOldTold(db: Queryable, olderThanMs: number): Promise<void> {
  await db.query(
    `DELETE FROM told WHERE task_id IN (
       SELECT task_id FROM told WHERE as_of < now() - $1 * interval '1 millisecond' LIMIT $2)`,
    [olderThanMs, FORGOTTEN_AT_ONCE],
  );
}
