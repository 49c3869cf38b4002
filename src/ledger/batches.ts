import type { FailureCode } from '../contract/failures.js';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { RATE_WINDOW_MS, RUNNING_RETRY_MS } from './admissions.js';
import { onlyRow, type Queryable } from './database.js';
import type { Batch, BatchAdmission, Ledger, StoredStatus } from './types.js';

interface AdmissionRow {
  outcome: 'admitted' | 'existing' | 'key_reused' | 'erased' | 'starts' | 'running';
  created: Date | null;
  begun: boolean;
  started: number;
  running: number;
  frees_in_ms: number;
}

/** See `Ledger.admitBatch`. */
export async function admitBatch(
  db: Queryable,
  { batchId, owner, requestHash, items, limits }: Parameters<Ledger['admitBatch']>[0],
): Promise<BatchAdmission> {
  const row = onlyRow(
    await db.query<AdmissionRow>('SELECT * FROM admit_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      owner,
      batchId,
      requestHash,
      items.map(({ taskId }) => taskId),
      items.map(({ manualPrompt }) => manualPrompt),
      RATE_WINDOW_MS,
      limits.startsPerMinute,
      WORKFLOW_TIMEOUT_MS,
      limits.runningTasks,
    ]),
  );
  const quota = {
    starts: Math.max(0, limits.startsPerMinute - row.started),
    startsResetMs: row.frees_in_ms,
    running: Math.max(0, limits.runningTasks - row.running),
  };
  switch (row.outcome) {
    case 'starts':
      return { outcome: 'limited', limit: row.outcome, retryAfterMs: row.frees_in_ms, quota };
    case 'running':
      return { outcome: 'limited', limit: row.outcome, retryAfterMs: RUNNING_RETRY_MS, quota };
    case 'key_reused':
    case 'erased':
      return { outcome: row.outcome, quota };
    case 'admitted':
    case 'existing':
      if (!row.created) throw new Error('A batch that is known was never made');
      return { outcome: row.outcome, begun: row.begun, createdAt: row.created, quota };
  }
}

/** See `Ledger.withdrawBatch`. */
export async function withdrawBatch(tx: Queryable, batchId: string): Promise<void> {
  const gone = await tx.query<{ task_id: string }>(
    'DELETE FROM generations WHERE batch_id = $1 AND queued AND ended_at IS NULL RETURNING task_id',
    [batchId],
  );
  await tx.query('UPDATE starts SET counted = false WHERE task_id = ANY ($1::text[])', [
    gone.map(({ task_id }) => task_id),
  ]);
  await tx.query(
    'DELETE FROM batches b WHERE batch_id = $1 AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.batch_id = b.batch_id)',
    [batchId],
  );
}

interface ItemRow {
  owner: string;
  batch_created_at: Date;
  task_id: string;
  status: StoredStatus;
  queued: boolean;
  code: FailureCode | null;
  generated_by_ai: boolean | null;
  updated_at: Date;
}

/** See `Ledger.getBatch`. Without any text, as it is read again and again. */
export async function getBatch(db: Queryable, batchId: string): Promise<Batch | null> {
  const rows = await db.query<ItemRow>(
    `SELECT b.owner, b.created_at AS batch_created_at, g.task_id, g.status, g.failure->>'code' AS code,
       g.generated_by_ai, g.updated_at,
       -- Whoever follows the item may know of its first step before that has changed the row.
       g.queued AND NOT EXISTS (SELECT 1 FROM told t WHERE t.task_id = g.task_id AND t.seq > 0) AS queued
     FROM batches b JOIN generations g USING (batch_id) WHERE batch_id = $1 ORDER BY g.task_id`,
    [batchId],
  );
  const [first] = rows;
  if (!first) return null;
  return {
    batchId,
    owner: first.owner,
    createdAt: first.batch_created_at,
    items: rows.map((row) => ({
      taskId: row.task_id,
      state: row.status === 'processing' && row.queued ? 'queued' : row.status,
      failureCode: row.code,
      generatedByAi: row.generated_by_ai,
      updatedAt: row.updated_at,
    })),
  };
}
