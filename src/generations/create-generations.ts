import { WorkflowNotFoundError } from '@temporalio/client';
import { isEnded, type EndedSnapshot, type GenerationEnd, type Snapshot } from '../contract/snapshot.js';
import type { Feed } from '../feed/feed.js';
import { watchTemporal } from '../feed/watch-temporal.js';
import { repeat } from '../repeat.js';
import { TaskErased } from '../ledger/task-erased.js';
import { withDeadline } from '../with-deadline.js';
import { createBatches } from './batches.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { createEraseOwner } from './erase-owner.js';
import { createHealth } from './health.js';
import { isOpen } from './is-open.js';
import { createList } from './list.js';
import { createOverload, LOOK_EVERY_MS } from './overload.js';
import { ASK_EVERY_MS, createSharedClock } from './shared-clock.js';
import { createStart } from './start.js';
import { createStatus } from './status.js';
import type { Generations } from './types.js';

/** How long a caller who waits for the end rests where Temporal could not tell it, in ms. */
const REST_MS = 1_000;

const NEVER = new AbortController().signal;

const isFallback = (snapshot: Snapshot): boolean => snapshot.status === 'completed' && !snapshot.generated_by_ai;

const CANCELLED: GenerationEnd = { status: 'failed', failure: { code: 'cancelled' } };

/** `Generations` of a process that may follow the feed. */
export interface FollowingGenerations extends Generations {
  /**
   * From here on statuses come from memory wherever the feed allows, and too much work is refused. Until the result is
   * called.
   */
  follow(feed: Feed): Promise<() => Promise<void>>;
}

/** The door to Temporal. */
export function createGenerations(deps: GenerationsDeps): FollowingGenerations {
  const { client, ledger, log, taskQueue } = deps;
  const clock = createSharedClock(deps);
  const { now } = clock;
  const tasks = createStatus({ ...deps, now });
  const { status, started, endIsStored, forgetTask, live } = tasks;
  const overload = createOverload(deps);
  const startTask = createStart({ ...deps, modelId: live.live.modelId }, overload);
  const batches = createBatches({ ...deps, now }, tasks, overload);
  const forget = (owner: string): void => {
    tasks.forget(owner);
    batches.forget(owner);
  };

  /** Ends an item of a batch that has no run yet: should that come, it finds nothing left to do. Tells whether that is sure. */
  async function cancelQueued(taskId: string, owner: string): Promise<boolean> {
    try {
      const ended = await withDeadline(ledger.endQueued({ taskId, owner, end: CANCELLED }), DEADLINE_MS.ledger);
      if (ended) forgetTask(taskId);
      // It may have begun in this very moment, or the one before.
      await within(client, DEADLINE_MS.cancel, () => client.workflow.getHandle(taskId).cancel());
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof TaskErased) return true;
      log.warn({ err: error, task_id: taskId }, 'an item of a batch could not be cancelled before its run');
      return false;
    }
  }

  return {
    now,
    status,
    batches,
    list: createList(deps, status),
    health: createHealth(deps, live.live.isSilent),
    eraseOwner: createEraseOwner(deps, forget),
    forgetTask,

    subscribe: live.subscribe,
    textOf: live.textOf,

    async start(request) {
      const before = live.epoch();
      const result = await startTask(request);
      if (result.outcome === 'started') started(result.taskId, request.owner, before);
      if (result.outcome === 'cached') endIsStored(result.taskId);
      return result;
    },

    async follow(feed) {
      await clock.ask();
      const stopAsking = repeat(ASK_EVERY_MS, clock.ask);
      const stopListening = await feed.listen(live.live);
      const stopWatching = watchTemporal({ client, taskQueue, live: live.live, log, onClosed: live.onClosed });
      const stopJudging = repeat(LOOK_EVERY_MS, overload.look);
      return async () => {
        await stopJudging();
        await stopWatching();
        await stopListening();
        await stopAsking();
        live.live.stop();
      };
    },

    async cancel(taskId, caller) {
      const before = await status(taskId, caller);
      if (before.outcome !== 'found') return before;
      const nothingToDo = { outcome: 'nothing_to_do', status: before } as const;
      const hasEnded = isEnded(before.snapshot);
      // A fallback stays, and is told, while support lets the task run again for a better one.
      if (hasEnded && !isFallback(before.snapshot)) return nothingToDo;
      const handle = client.workflow.getHandle(taskId);
      try {
        const { raw } = await within(client, DEADLINE_MS.read, () => handle.describe());
        if (raw.workflowExtendedInfo?.cancelRequested || (hasEnded && !isOpen(raw))) return nothingToDo;
        // Whoever asks for the same from here on wants it anew.
        await stopSharing(taskId);
        await within(client, DEADLINE_MS.cancel, () => handle.cancel());
      } catch (error) {
        if (hasEnded && error instanceof WorkflowNotFoundError) return nothingToDo;
        // It ended in this very moment: then the status says how. Or it is an item that its batch has not started yet.
        if (!(error instanceof WorkflowNotFoundError) || !(await cancelQueued(taskId, caller.owner))) {
          log.error({ err: error, task_id: taskId }, 'a generation could not be cancelled');
          return { outcome: 'unavailable' };
        }
      }
      const after = await status(taskId, caller);
      return { outcome: 'requested', status: after.outcome === 'found' ? after : before };
    },

    async waitForEnd(taskId, caller, timeoutMs, signal = NEVER) {
      const giveUpAt = performance.now() + timeoutMs;
      const isGone = (): boolean => signal.aborted;
      for (;;) {
        const leftMs = giveUpAt - performance.now();
        if (leftMs <= 0 || isGone()) return { outcome: 'still_running' };
        try {
          const handle = client.workflow.getHandle(taskId);
          const snapshot = await client.withAbortSignal(signal, () =>
            within(client, leftMs, () => handle.result() as Promise<EndedSnapshot>),
          );
          return snapshot.owner === caller.owner ? { outcome: 'ended', snapshot } : { outcome: 'not_found' };
        } catch (error) {
          if (isGone()) continue;
          // One that was cached has no run to wait for, and has ended.
          const read = await status(taskId, caller);
          if (read.outcome === 'not_found') return read;
          if (read.outcome === 'found' && isEnded(read.snapshot)) return { outcome: 'ended', snapshot: read.snapshot };
          log.debug({ err: error, task_id: taskId }, 'waiting for a generation was interrupted');
          await new Promise((resolve) =>
            setTimeout(resolve, Math.min(REST_MS, Math.max(0, giveUpAt - performance.now()))),
          );
        }
      }
    },
  };

  async function stopSharing(taskId: string): Promise<void> {
    try {
      await withDeadline(ledger.stopSharing(taskId), DEADLINE_MS.ledger);
    } catch (error) {
      log.warn({ err: error, task_id: taskId }, 'a task that is being cancelled may still be joined');
    }
  }
}
