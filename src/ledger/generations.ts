import type { Failure } from '../contract/failures.js';
import type { Usage } from '../contract/snapshot.js';
import { onlyRow, type Queryable } from './database.js';
import { refuseErased } from './task-erased.js';
import type { EndedGeneration, Generation, GenerationStart, Ledger, StartedBefore, StoredStatus } from './types.js';

export interface GenerationRow {
  task_id: string;
  owner: string;
  manual_prompt: string;
  business_type: string | null;
  status: StoredStatus;
  prompt: string | null;
  generated_by_ai: boolean | null;
  model: string | null;
  usage: Usage | null;
  failure: Failure | null;
  tokens_charged: number;
  tokens_available: number | null;
  cached_from: string | null;
  created_at: Date;
  updated_at: Date;
  ended_at: Date | null;
  queued: boolean;
  /** The run that ended it, where that is known. */
  ended_run: string | null;
}

interface StartRow {
  type: string | null;
  template: string | null;
  version: number | null;
  before: string | null;
  /** Whether it was an item whose run had not begun. */
  waited: boolean | null;
  added: string | null;
}

/** Stores the row if it is new, or notes that it is queued no more, and reads what the job needs, in one statement. */
export async function beginGeneration(
  db: Queryable,
  { taskId, owner, manualPrompt, createdAt }: Parameters<Ledger['beginGeneration']>[0],
): Promise<GenerationStart> {
  const row = onlyRow(
    await db.query<StartRow>(
      `WITH account AS (
         SELECT (SELECT business_type FROM accounts WHERE owner = $2) AS type
       ), newest AS (
         SELECT t.template, t.version FROM prompt_templates t, account WHERE t.key = lower(account.type)
         ORDER BY t.version DESC LIMIT 1
       ), added AS (
         INSERT INTO generations (task_id, owner, manual_prompt, business_type, template_version, created_at)
         SELECT $1, $2, $3, account.type, newest.version, $4 FROM account LEFT JOIN newest ON true
         ON CONFLICT (task_id) DO UPDATE SET queued = false, business_type = EXCLUDED.business_type,
           template_version = EXCLUDED.template_version, updated_at = now()
           WHERE generations.queued AND generations.ended_at IS NULL
         RETURNING task_id
       )
       SELECT account.type, newest.template, newest.version,
         (SELECT task_id FROM generations WHERE task_id = $1) AS before,
         (SELECT queued FROM generations WHERE task_id = $1) AS waited, (SELECT task_id FROM added) AS added
       FROM account LEFT JOIN newest ON true`,
      [taskId, owner, manualPrompt, createdAt],
    ),
  );
  // Not there before, and not added: either the same call came at the same time, or the table refused it.
  if (row.before === null && row.added === null) await refuseErased(db, taskId);
  const ended = row.before === null ? null : ((await getGeneration(db, taskId))?.ended ?? null);
  return {
    businessType: row.type,
    template: row.template === null || row.version === null ? null : { text: row.template, version: row.version },
    ended: row.waited || (ended?.status === 'completed' && ended.generatedByAi) ? ended : null,
  };
}

export async function getGeneration(db: Queryable, taskId: string): Promise<Generation | null> {
  const [row] = await db.query<GenerationRow>('SELECT * FROM generations WHERE task_id = $1', [taskId]);
  return row ? generationOf(row) : null;
}

/** See `Ledger.getStarted`. */
export async function getStarted(db: Queryable, taskIds: readonly string[]): Promise<StartedBefore[]> {
  const rows = await db.query<
    (GenerationRow | { task_id: null }) & {
      counted: boolean | null;
      joined: string | null;
      request_hash: string | null;
    }
  >(
    `SELECT DISTINCT ON (this.n) g.*, s.counted, s.joined, s.request_hash
     FROM unnest($1::text[]) WITH ORDINALITY AS this (id, n)
     LEFT JOIN starts s ON s.task_id = this.id
     LEFT JOIN generations g ON g.task_id = ANY (ARRAY[this.id, s.joined])
     ORDER BY this.n, g.task_id <> this.id`,
    [taskIds],
  );
  return rows.map((row) => ({
    hasPlace: row.counted ?? false,
    generation: row.task_id !== null ? generationOf(row) : null,
    joined: row.joined ? { taskId: row.joined, requestHash: row.request_hash } : null,
  }));
}

export const generationOf = (row: GenerationRow): Generation => ({
  taskId: row.task_id,
  owner: row.owner,
  manualPrompt: row.manual_prompt,
  businessType: row.business_type,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  queued: row.queued,
  ended: endedOf(row),
});

/** The columns of an end, as far as the CHECKs of the table allow them to be null. */
function endedOf(row: GenerationRow): EndedGeneration | null {
  if (row.ended_at === null) return null;
  const money = {
    tokensCharged: row.tokens_charged,
    tokensAvailable: row.tokens_available ?? 0,
    endedAt: row.ended_at,
  };
  if (row.failure) return { status: 'failed', failure: row.failure, ...money };
  return {
    status: 'completed',
    prompt: row.prompt ?? '',
    generatedByAi: row.generated_by_ai ?? false,
    model: row.model ?? '',
    usage: row.usage ?? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    ...(row.cached_from === null ? {} : { cached: true }),
    ...money,
  };
}
