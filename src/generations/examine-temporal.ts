import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { llmTaskQueueOf } from '../contract/names.js';
import { reconcilerOf } from '../schedule-reconciler.js';
import { DEADLINE_MS, within } from './deps.js';
import { isPolling } from './pollers.js';
import { areRegistered } from './search-attributes.js';
import { isNotFound } from './temporal-outage.js';
import { dateOf } from './timeline.js';

const { RateLimitSource, TaskQueueType } = proto.temporal.api.enums.v1;

/** Who works on a task queue, and what waits there. */
export interface QueueFacts {
  /** As workers name themselves, with their build where they are versioned. */
  workers: string[];
  /** Tasks that no worker has taken, about. */
  waiting: number;
  /** How long the oldest of them has, in ms. */
  oldestMs: number;
  /** null: none but Temporal's own. */
  limit: QueueLimit | null;
}

/** How many tasks a second Temporal hands out at most, and whose wish that is: an operator's goes before the workers'. */
export interface QueueLimit {
  perSecond: number;
  by: 'the workers' | 'an operator';
}

/** How Temporal is, as far as this service goes. */
export interface TemporalFacts {
  version: string;
  namespace: string;
  taskQueue: string;
  /** The queue of the workflows' own steps, that of the activities, and that of calls of the model where they are limited. */
  workflows: QueueFacts;
  activities: QueueFacts;
  llmCalls: QueueFacts;
  /** Whether its namespace has our search attributes. */
  searchAttributes: boolean;
  /** By Temporal's clock. null: it is not scheduled. */
  reconciler: { scheduledAt: Date; ranAt: Date | null } | null;
}

/** Asks Temporal how it is. It throws where Temporal does not answer. */
export function createExamineTemporal({ client, taskQueue }: { client: Client; taskQueue: string }) {
  const { namespace } = client.options;
  const ask = <T>(call: () => Promise<T>): Promise<T> => within(client, DEADLINE_MS.read, call);

  async function queue(name: string, taskQueueType: proto.temporal.api.enums.v1.TaskQueueType): Promise<QueueFacts> {
    const { pollers, stats, effectiveRateLimit } = await ask(() =>
      client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType,
        reportStats: true,
      }),
    );
    const age = stats?.approximateBacklogAge;
    return {
      workers: pollers.filter(isPolling).map(nameOf),
      waiting: Number(stats?.approximateBacklogCount ?? 0),
      oldestMs: Number(age?.seconds ?? 0) * 1_000 + Math.floor((age?.nanos ?? 0) / 1e6),
      limit: limitOf(effectiveRateLimit),
    };
  }

  async function reconciler(): Promise<TemporalFacts['reconciler']> {
    try {
      const scheduleId = reconcilerOf(taskQueue);
      const { info } = await ask(() => client.workflowService.describeSchedule({ namespace, scheduleId }));
      const last = info?.recentActions?.at(-1)?.actualTime;
      return { scheduledAt: dateOf(info?.createTime), ranAt: last ? dateOf(last) : null };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  return async function examineTemporal(): Promise<TemporalFacts> {
    const [{ serverVersion }, workflows, activities, llmCalls, searchAttributes, ran] = await Promise.all([
      ask(() => client.workflowService.getSystemInfo({})),
      queue(taskQueue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
      queue(taskQueue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
      queue(llmTaskQueueOf(taskQueue), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
      areRegistered(client),
      reconciler(),
    ]);
    return {
      version: serverVersion,
      namespace,
      taskQueue,
      workflows,
      activities,
      llmCalls,
      searchAttributes,
      reconciler: ran,
    };
  };
}

function limitOf(
  limit: proto.temporal.api.workflowservice.v1.DescribeTaskQueueResponse.IEffectiveRateLimit | null | undefined,
): QueueLimit | null {
  const { requestsPerSecond: perSecond, rateLimitSource: source } = limit ?? {};
  if (source === RateLimitSource.RATE_LIMIT_SOURCE_WORKER) return { perSecond: perSecond ?? 0, by: 'the workers' };
  return source === RateLimitSource.RATE_LIMIT_SOURCE_API ? { perSecond: perSecond ?? 0, by: 'an operator' } : null;
}

function nameOf({ identity, deploymentOptions }: proto.temporal.api.taskqueue.v1.IPollerInfo): string {
  const build = deploymentOptions?.buildId ?? '';
  return build === '' ? (identity ?? '') : `${identity ?? ''} (build ${build})`;
}
