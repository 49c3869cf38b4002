import type { FailureCode } from './failures.js';
import { ENDED_PROGRESS } from './steps.js';
import type { Snapshot } from './snapshot.js';

/** How far an item of a batch is: what a batch tells of a task. */
export type ItemState = Pick<Snapshot, 'task_id' | 'status' | 'progress' | 'updated_at'> & {
  /** Of a failed one. */
  error_code?: FailureCode;
  /** Of a completed one. */
  generated_by_ai?: boolean;
};

/** How many items are in each state. */
export interface BatchCounts {
  total: number;
  queued: number;
  processing: number;
  completed: number;
  failed: number;
}

/** The whole truth about a batch at one moment: nothing but what its items say. */
export interface BatchSnapshot {
  /** Never sent to clients. */
  owner: string;
  batch_id: string;
  /** Of one that has ended: `completed` where at least one item is. */
  status: Snapshot['status'];
  /** The mean of its items', rounded down; never goes back. */
  progress: number;
  message: string;
  /** RFC 3339, like every time here. */
  created_at: string;
  updated_at: string;
  /** Of one that has ended. */
  completed_at?: string;
  counts: BatchCounts;
  /** In the order in which they were asked for. */
  items: ItemState[];
}

/** A batch as its items make it. */
export function batchSnapshot(
  { batchId, owner, createdAt }: { batchId: string; owner: string; createdAt: string },
  items: readonly ItemState[],
): BatchSnapshot {
  const counts = countsOf(items);
  const status = statusOf(counts);
  const updatedAt = items.reduce((latest, { updated_at }) => (updated_at > latest ? updated_at : latest), createdAt);
  const ended = status === 'completed' || status === 'failed';
  return {
    owner,
    batch_id: batchId,
    status,
    progress: Math.floor(items.reduce((sum, { progress }) => sum + progress, 0) / items.length),
    message: messageOf(counts, ended),
    created_at: createdAt,
    updated_at: updatedAt,
    ...(ended ? { completed_at: updatedAt } : {}),
    counts,
    items: items.map(({ task_id, status, progress, updated_at, error_code, generated_by_ai }) => ({
      task_id,
      status,
      progress,
      updated_at,
      ...(error_code === undefined ? {} : { error_code }),
      ...(generated_by_ai === undefined ? {} : { generated_by_ai }),
    })),
  };
}

/** Whether all of its items have ended. */
export const isBatchEnded = ({ progress }: BatchSnapshot): boolean => progress === ENDED_PROGRESS;

function countsOf(items: readonly ItemState[]): BatchCounts {
  const counts = { total: items.length, queued: 0, processing: 0, completed: 0, failed: 0 };
  for (const { status } of items) counts[status] += 1;
  return counts;
}

function statusOf({ total, queued, completed, failed }: BatchCounts): BatchSnapshot['status'] {
  if (completed + failed === total) return completed > 0 ? 'completed' : 'failed';
  return queued === total ? 'queued' : 'processing';
}

function messageOf({ total, queued, completed, failed }: BatchCounts, ended: boolean): string {
  if (ended) return `${completed} of ${total} prompts generated`;
  return queued === total
    ? 'Batch queued, waiting to start...'
    : `Generating prompts: ${completed + failed} of ${total} done...`;
}
