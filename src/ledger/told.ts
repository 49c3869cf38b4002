import type { RunningSnapshot } from '../contract/snapshot.js';
import { MESSAGES_CHANNEL } from './channels.js';
import type { Queryable } from './database.js';
import type { Ledger } from './types.js';

/** See `Ledger.shareTold`. */
export async function shareTold(
  db: Queryable,
  { snapshot, asOf }: Parameters<Ledger['shareTold']>[0],
): ReturnType<Ledger['shareTold']> {
  // The SELECT sees what there was before the statement.
  const [before] = await db.query<ToldRow>(
    `WITH kept AS (
       INSERT INTO told (task_id, seq, snapshot, as_of) VALUES ($1, $2, $3, $4)
       ON CONFLICT (task_id) DO UPDATE SET seq = $2, snapshot = $3, as_of = $4 WHERE told.seq < $2)
     SELECT snapshot, as_of FROM told WHERE task_id = $1`,
    [snapshot.task_id, snapshot.seq, JSON.stringify(snapshot), asOf],
  );
  return before ? toldOf(before) : null;
}

interface ToldRow {
  snapshot: RunningSnapshot;
  as_of: Date;
}

const toldOf = ({ snapshot, as_of }: ToldRow): { snapshot: RunningSnapshot; asOf: string } => ({
  snapshot,
  asOf: as_of.toISOString(),
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

/** See `Ledger.getTold`. */
export async function getTold(db: Queryable, taskId: string): ReturnType<Ledger['getTold']> {
  const [row] = await db.query<ToldRow>('SELECT snapshot, as_of FROM told WHERE task_id = $1', [taskId]);
  return row ? toldOf(row) : null;
}

/** See `Ledger.forgetOldTold`. */
export async function forgetOldTold(db: Queryable, olderThanMs: number): Promise<void> {
  await db.query(`DELETE FROM told WHERE as_of < now() - $1 * interval '1 millisecond'`, [olderThanMs]);
}
