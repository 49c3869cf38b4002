import { isDeepStrictEqual } from 'node:util';
import type { GenerationEnd } from '../contract/snapshot.js';
import { lockAccount } from './accounts.js';
import { ENDED_CHANNEL } from './channels.js';
import type { Queryable } from './database.js';
import { addEntry } from './entries.js';
import { generationOf, type GenerationRow } from './generations.js';
import { availableIn, availableTokens, resolveExpired, resolveHolds } from './holds.js';
import { TaskErased } from './task-erased.js';
import { chargeKeyOf, standingOf, type TaskStanding } from './task-standing.js';
import type { EndedGeneration, Ledger } from './types.js';

/** The stored truth of a task's end. */
export interface StoredEnding {
  ended: EndedGeneration;
  /** Set where this call stored it. */
  storedNow?: { createdAt: Date };
}

/** Ends a task and its money; see `Ledger.endGeneration`. Locks the account first, as everything does. */
export async function endGeneration(
  tx: Queryable,
  { taskId, owner, end, runId, repeated = false, unlessEnded = false, reason }: Parameters<Ledger['endGeneration']>[0],
): Promise<StoredEnding> {
  const account = await lockAccount(tx, owner);
  const standing = await standingOf(tx, taskId);
  const [row] = await tx.query<GenerationRow>('SELECT * FROM generations WHERE task_id = $1', [taskId]);
  const stored = row && generationOf(row).ended;
  // This very run was ended before: by its last step, or by a reader who found it terminated or timed out, or its time over
  // while nobody could ask for it, when a worker was still about to store its end.
  const again = !!stored && runId !== undefined && (row.ended_run === runId || (row.ended_run === null && !repeated));
  if (stored && unlessEnded) return { ended: stored };
  if (stored && (again || stays(stored, end))) {
    await resolveHolds(tx, owner, standing.open, 'released');
    await tell(tx, { taskId, again });
    return { ended: stored };
  }
  const charged = account ? await settle(tx, { taskId, owner, end, standing }) : 0;
  const ending = await store(tx, { taskId, owner, end, runId, reason, charged });
  await tell(tx, { taskId, again: false });
  return ending;
}

/**
 * Readers hear of an end when, and only if, it is committed. Last of all: whoever tells of the task meanwhile would have to
 * wait for `told`'s row. What an earlier run says late (`again`) does not end the one that support started after it.
 */
async function tell(tx: Queryable, { taskId, again }: { taskId: string; again: boolean }): Promise<void> {
  await tx.query(
    `WITH gone AS (
       DELETE FROM told WHERE task_id = $1
     ), closed AS (
       UPDATE retries SET closed_at = now() WHERE task_id = $1 AND closed_at IS NULL AND NOT $2::boolean
     )
     SELECT pg_notify('${ENDED_CHANNEL}', $1)`,
    [taskId, again],
  );
}

/** See `Ledger.endQueued`. Whoever begins the run waits for the row, and finds the end in it. */
export async function endQueued(tx: Queryable, task: Parameters<Ledger['endQueued']>[0]): Promise<StoredEnding | null> {
  await lockAccount(tx, task.owner);
  const queued = await tx.query(
    'SELECT 1 FROM generations WHERE task_id = $1 AND queued AND ended_at IS NULL FOR UPDATE',
    [task.taskId],
  );
  return queued.length > 0 ? endGeneration(tx, task) : null;
}

/**
 * Whether a task's end is kept: it was told before, or is worth more than the new one. A paid prompt is never lost to a
 * late failure, nor replaced by another prompt.
 */
const stays = (stored: EndedGeneration, end: GenerationEnd): boolean =>
  worth(stored) === WRITTEN_BY_AI || worth(stored) > worth(end) || isDeepStrictEqual({ ...stored, ...end }, stored);

const WRITTEN_BY_AI = 2;

const worth = (end: GenerationEnd): number => {
  if (end.status === 'failed') return 0;
  return end.generatedByAi ? WRITTEN_BY_AI : 1;
};

/** Resolves the task's holds and charges it, once ever. Returns what it was charged. */
async function settle(
  tx: Queryable,
  { taskId, owner, end, standing }: { taskId: string; owner: string; end: GenerationEnd; standing: TaskStanding },
): Promise<number> {
  const { free, open, charged: earlier } = standing;
  if (free || earlier !== null || end.status === 'failed' || !end.generatedByAi) {
    await resolveHolds(tx, owner, open, 'released');
    return earlier ?? 0;
  }
  const limit =
    open.length > 0 ? open.reduce((sum, { tokens }) => sum + tokens, 0) : await leftOfHold(tx, owner, taskId);
  const charged = Math.min(end.usage.total_tokens, limit);
  await resolveHolds(tx, owner, open, 'settled', charged);
  if (charged > 0) {
    const key = chargeKeyOf(taskId);
    await addEntry(tx, { owner, type: 'charge', tokens: -charged, reason: 'Prompt generation', taskId, key });
  }
  return charged;
}

/** What may be charged for a task whose last hold was resolved before: what is held is there, the rest may be spent. */
async function leftOfHold(tx: Queryable, owner: string, taskId: string): Promise<number> {
  await resolveExpired(tx, owner);
  const [row] = await tx.query<{ tokens: number }>(
    'SELECT tokens FROM holds WHERE task_id = $1 ORDER BY created_at DESC LIMIT 1',
    [taskId],
  );
  return Math.min(row?.tokens ?? 0, await availableTokens(tx, owner));
}

async function store(
  tx: Queryable,
  task: Parameters<Ledger['endGeneration']>[0] & { charged: number },
): Promise<StoredEnding> {
  const { taskId, owner, end, runId, reason, charged } = task;
  const completed = end.status === 'completed' ? end : null;
  const rows = await tx.query<GenerationRow>(
    `INSERT INTO generations (task_id, owner, manual_prompt, created_at, ended_at, status, prompt, generated_by_ai, model,
       usage, failure, tokens_charged, tokens_available, ended_run, reason, work_key)
     VALUES ($1, $2, '', now(), now(), $3, $4, $5, $6, $7, $8, $9, coalesce(${availableIn('$2')}, 0), $10, $11, $12)
     ON CONFLICT (task_id) DO UPDATE SET
       ended_at = now(), updated_at = now(), status = $3, prompt = $4, generated_by_ai = $5, model = $6,
       usage = $7, failure = $8, tokens_charged = $9, tokens_available = EXCLUDED.tokens_available, ended_run = $10,
       reason = $11, work_key = $12
     RETURNING *`,
    [
      taskId,
      owner,
      end.status,
      completed?.prompt ?? null,
      completed?.generatedByAi ?? null,
      completed?.model ?? null,
      completed ? JSON.stringify(completed.usage) : null,
      end.status === 'failed' ? JSON.stringify(end.failure) : null,
      charged,
      runId ?? null,
      reason ?? null,
      completed?.generatedByAi ? (completed.workKey ?? null) : null,
    ],
  );
  const [row] = rows;
  // Erased in this very moment: the table took no row.
  if (!row) throw new TaskErased();
  const { createdAt, ended } = generationOf(row);
  if (!ended) throw new Error('A generation that was just ended has no end');
  return { ended, storedNow: { createdAt } };
}
