import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { LRUCache } from 'lru-cache';
import { WORKFLOW_TYPE } from '../contract/names.js';
import type { Logger } from '../log.js';
import { repeat } from '../repeat.js';
import type { Live } from './live.js';

/** Together with the time of a call: what a worker can't tell is known within 2 s. */
const EVERY_MS = 1_000;
const DEADLINE_MS = 1_500;
/** A worker's poll lasts up to a minute; one that has not polled for longer is gone. */
const POLLED_WITHIN_MS = 75_000;
/** Runs that ended so long before a worker's last poll were seen by the rounds before. */
const CLOSED_WITHIN_MS = 120_000;
/** Newest first, of each end. */
const MOST_CLOSED = 1_000;
/**
 * How a run ends without its worker. One query for each: for several at once a dev server (SQLite) reads every run that it
 * has, which takes it longer the more there are.
 */
const ENDS = ['Terminated', 'TimedOut', 'Canceled', 'Failed'] as const;

const WORKFLOW_QUEUE = proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;

interface WatchDeps {
  client: Client;
  taskQueue: string;
  live: Pick<Live, 'knows' | 'watched'>;
  log: Logger;
  /** A run ended without its worker: it was terminated, timed out, cancelled or failed. */
  onClosed: (taskId: string) => void;
}

/**
 * Asks Temporal each second for what no worker can announce: runs that end without one, and workers that are at work
 * unheard of (of an older release, or cut off from the database). Stops with the result.
 */
export function watchTemporal({ client, taskQueue, live, log, onClosed }: WatchDeps): () => Promise<void> {
  const { namespace } = client.options;
  const pollers = new Map<string, { access: string; quietSince: number }>();
  const seen = new LRUCache<string, true>({ max: 2 * ENDS.length * MOST_CLOSED });
  let stopped = false;
  let failing = false;

  async function round(): Promise<void> {
    try {
      await client.withDeadline(Date.now() + DEADLINE_MS, async () => {
        const { complete, temporalTime } = await lookAtPollers();
        // Without a worker there is none to go by, nor anything to be trusted.
        if (temporalTime > 0) await lookAtClosed(temporalTime);
        live.watched(complete);
      });
      failing = false;
    } catch (error) {
      if (!failing && !stopped)
        log.warn({ err: error }, 'Temporal could not be asked for what workers do not announce');
      failing = true;
    }
  }

  async function lookAtPollers(): Promise<{ complete: boolean; temporalTime: number }> {
    const description = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_QUEUE,
    });
    const now = performance.now();
    let complete = true;
    let temporalTime = 0;
    for (const { identity, lastAccessTime } of description.pollers) {
      const id = identity ?? '';
      const accessMs = Number(lastAccessTime?.seconds ?? 0) * 1_000 + (lastAccessTime?.nanos ?? 0) / 1e6;
      const access = String(accessMs);
      temporalTime = Math.max(temporalTime, accessMs);
      const known = live.knows(id);
      if (known === 'alive' || known === 'gone') {
        pollers.set(id, { access, quietSince: -Infinity });
        continue;
      }
      const before = pollers.get(id);
      const state = before?.access === access ? before : { access, quietSince: now };
      pollers.set(id, state);
      if (now - state.quietSince < POLLED_WITHIN_MS) complete = false;
    }
    const listed = new Set(description.pollers.map(({ identity }) => identity));
    for (const id of pollers.keys()) if (!listed.has(id)) pollers.delete(id);
    return { complete, temporalTime };
  }

  /** By Temporal's own clock: this host's may be another one. */
  async function lookAtClosed(temporalTime: number): Promise<void> {
    const after = new Date(temporalTime - CLOSED_WITHIN_MS).toISOString();
    const lists = await Promise.all(
      ENDS.map((end) =>
        client.workflowService.listWorkflowExecutions({
          namespace,
          query: `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = '${end}' AND CloseTime > '${after}'`,
          pageSize: MOST_CLOSED,
        }),
      ),
    );
    for (const { execution } of lists.flatMap(({ executions }) => executions)) {
      const runId = execution?.runId ?? '';
      if (seen.has(runId)) continue;
      seen.set(runId, true);
      onClosed(execution?.workflowId ?? '');
    }
  }

  const stop = repeat(EVERY_MS, round);
  return () => {
    stopped = true;
    return stop();
  };
}
