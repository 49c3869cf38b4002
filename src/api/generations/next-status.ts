import { isEnded } from '../../contract/snapshot.js';
import type { Caller, Generations, StatusResult } from '../../generations/types.js';
import { tagOf } from './status-tag.js';
import { ASK_EVERY_MS, changesOf } from './task-changes.js';

interface Awaited {
  taskId: string;
  caller: Caller;
  /** Tags the caller knows; empty: the one it would get now. */
  known: readonly string[];
  waitMs: number;
  /** Aborted when nobody waits any more. */
  signal: AbortSignal;
}

/** The first status that the caller does not know, or the one there is when the time is over. */
export async function nextStatus(
  generations: Pick<Generations, 'status' | 'subscribe'>,
  { taskId, caller, known, waitMs, signal }: Awaited,
): Promise<StatusResult> {
  const giveUpAt = performance.now() + waitMs;
  const changes = changesOf(generations, taskId);
  try {
    const first = await generations.status(taskId, caller);
    const old = known.length > 0 || first.outcome !== 'found' ? known : [tagOf(first)];
    for (let now = first; ; now = await generations.status(taskId, caller)) {
      if (now.outcome !== 'found' || isEnded(now.snapshot) || !old.includes(tagOf(now))) return now;
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0 || signal.aborted) return now;
      await changes.rest(Math.min(leftMs, ASK_EVERY_MS), signal);
    }
  } finally {
    changes.stop();
  }
}
