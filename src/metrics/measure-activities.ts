import type { Info } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { CancelledFailure } from '@temporalio/common';
import type { InitializeInput } from '../activities/initialize.js';
import type { WorkerMetrics } from './worker-metrics.js';

type Execute = NonNullable<ActivityInboundCallsInterceptor['execute']>;

/** Measures every attempt of every activity of a worker. */
export const measureActivities =
  (metrics: WorkerMetrics): ActivityInterceptorsFactory =>
  ({ info }) => ({ inbound: { execute: measured(info, metrics) } });

const measured =
  (
    { activityType: activity, attempt, currentAttemptScheduledTimestampMs: dueAt }: Info,
    metrics: WorkerMetrics,
  ): Execute =>
  async (input, next) => {
    if (attempt > 1) metrics.activityRetries.inc({ activity });
    else if (activity === 'initialize')
      metrics.queueSeconds.observe(since(createdAtOf(input.args as [InitializeInput])));
    if (activity === 'generateWithAI') metrics.llmQueueSeconds.observe(since(dueAt));
    const stop = metrics.activitySeconds.startTimer({ activity });
    try {
      const result = await next(input);
      stop({ outcome: 'ok' });
      return result;
    } catch (error) {
      stop({ outcome: error instanceof CancelledFailure ? 'cancelled' : 'failed' });
      throw error;
    }
  };

const createdAtOf = ([{ createdAt }]: [InitializeInput]): number => Date.parse(createdAt);

/** In seconds. The clocks of Temporal and of the worker may differ a little. */
const since = (ms: number): number => Math.max(0, Date.now() - ms) / 1000;
