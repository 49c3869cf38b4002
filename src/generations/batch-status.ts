import { LRUCache } from 'lru-cache';
import { assertNever } from '../contract/assert-never.js';
import { batchSnapshot, isBatchEnded, type BatchSnapshot, type ItemState } from '../contract/batch.js';
import { isTaskId } from '../contract/names.js';
import { queuedSnapshot } from '../contract/snapshot.js';
import { ENDED_PROGRESS } from '../contract/steps.js';
import type { Batch, Ledger } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { oneAtATime } from '../one-at-a-time.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';
import { isInTime } from './stored-status.js';
import type { Batches, BatchStatusResult, Generations, StatusResult } from './types.js';

/** Batches whose last state is kept for an outage, of some ten kilobytes each. */
const KEPT = 500;

interface BatchStatusDeps {
  ledger: Pick<Ledger, 'getBatch'>;
  /** Of a task. */
  status: Generations['status'];
  now: Generations['now'];
  log: Logger;
  /** No other process tells anything of these batches. */
  alone?: boolean;
}

/**
 * The states of batches: one query of the ledger, which knows which items wait or have ended, and for those that run what is
 * told of any task, mostly from memory. So what is told of an item is true, and never goes back, as of a single task.
 */
export function createBatchStatus({ ledger, status, now: time, log, alone = false }: BatchStatusDeps) {
  const last = new LRUCache<string, { batch: BatchSnapshot; asOf: string }>({ max: KEPT });

  /** However many watch it. */
  const read = oneAtATime(async (batchId: string): Promise<BatchStatusResult> => {
    const asOf = new Date(time()).toISOString();
    const batch = await withDeadline(ledger.getBatch(batchId), DEADLINE_MS.ledger);
    if (!batch) return { outcome: 'not_found' };
    const items = await Promise.all(batch.items.map((item) => itemOf(item, batch)));
    const away = items.find((item) => item.outcome !== 'found');
    if (away) return away;
    const found = items.filter((item) => item.outcome === 'found');
    const { owner, createdAt } = batch;
    const now = batchSnapshot(
      { batchId, owner, createdAt: createdAt.toISOString() },
      found.map(({ item }) => item),
    );
    last.set(batchId, { batch: now, asOf });
    const [staleAsOf] = found.flatMap((item) => item.staleAsOf ?? []).sort();
    return { outcome: 'found', batch: now, ...(staleAsOf === undefined ? {} : { staleAsOf }) };
  });

  async function itemOf(item: Batch['items'][number], { owner, createdAt }: Batch): Promise<ItemReading> {
    const { taskId, state, failureCode, generatedByAi, updatedAt } = item;
    switch (state) {
      case 'completed':
      case 'failed': {
        const ended = { task_id: taskId, status: state, progress: ENDED_PROGRESS, updated_at: updatedAt.toISOString() };
        const how = state === 'failed' ? { error_code: failureCode ?? 'internal' } : undefined;
        return { outcome: 'found', item: { ...ended, ...(how ?? { generated_by_ai: generatedByAi ?? false }) } };
      }
      case 'queued': {
        const queued = queuedSnapshot({ taskId, owner, createdAt: createdAt.toISOString() });
        // Once its time is over it is asked for, which ends it.
        if (isInTime(queued, time())) return { outcome: 'found', item: queued };
        break;
      }
      case 'processing':
        break;
      default:
        return assertNever(state);
    }
    const result = await status(taskId, { kind: 'owner', owner });
    if (result.outcome !== 'found') return result;
    const { snapshot, staleAsOf } = result;
    return { outcome: 'found', item: snapshot, ...(staleAsOf === undefined ? {} : { staleAsOf }) };
  }

  /**
   * What this process knew of it last, unless another one may have told more; where its time is over, it must have ended,
   * and nobody knows how.
   */
  function lastKnown(batchId: string): BatchStatusResult {
    const { batch, asOf } = last.get(batchId) ?? {};
    if (!batch || !asOf) return { outcome: 'unavailable' };
    const isUsable = isBatchEnded(batch) || (alone && isInTime(batch, time()));
    return isUsable ? { outcome: 'found', batch, staleAsOf: asOf } : { outcome: 'unavailable' };
  }

  return {
    status: async (batchId, caller) => {
      if (!isTaskId(batchId)) return { outcome: 'not_found' };
      const now = await read(batchId).catch((error: unknown): BatchStatusResult => {
        log.warn({ err: error, batch_id: batchId }, 'the ledger could not be asked for a batch');
        return { outcome: 'unavailable' };
      });
      const known = now.outcome === 'unavailable' ? lastKnown(batchId) : now;
      return known.outcome === 'found' && known.batch.owner !== caller.owner ? { outcome: 'not_found' } : known;
    },

    /** Forgets the batches of an owner whose data is erased. */
    forget: (owner: string): void => {
      for (const [batchId, { batch }] of [...last.entries()]) if (batch.owner === owner) last.delete(batchId);
    },
  } satisfies Pick<Batches, 'status'> & { forget: (owner: string) => void };
}

type ItemReading =
  { outcome: 'found'; item: ItemState; staleAsOf?: string } | Exclude<StatusResult, { outcome: 'found' }>;
