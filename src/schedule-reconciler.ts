import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { RECONCILE_EVERY_MS } from './contract/limits.js';
import { RECONCILE_WORKFLOW_TYPE } from './contract/names.js';
import type { Logger } from './log.js';

/** A round that could not end by then is given up for the next one. */
const ROUND_LIMIT_MS = RECONCILE_EVERY_MS;

/** The name of the schedule of a task queue: one for all its workers, so that they do not do its work twice. */
export const reconcilerOf = (taskQueue: string): string => `reconcile ${taskQueue}`;

/**
 * Has Temporal start a round of the reconciler each minute on the workers of this task queue. The schedule outlives its
 * workers; a newer version's settings replace the ones it has.
 */
export async function scheduleReconciler(client: Client, taskQueue: string, log: Logger): Promise<void> {
  const scheduleId = reconcilerOf(taskQueue);
  const schedule = {
    spec: { intervals: [{ every: RECONCILE_EVERY_MS }] },
    action: {
      type: 'startWorkflow',
      workflowType: RECONCILE_WORKFLOW_TYPE,
      workflowId: scheduleId,
      taskQueue,
      args: [],
      workflowExecutionTimeout: ROUND_LIMIT_MS,
      staticSummary: 'Reconcile what broken-off runs left behind',
    },
    // A round that was missed is as good as the next one.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: RECONCILE_EVERY_MS },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  try {
    await client.schedule.create({ scheduleId, ...schedule });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    try {
      await handle.update(({ state }) => ({ ...schedule, state }));
    } catch (cause) {
      // To change it is to read it, which nobody can whose keys are not those it was made with.
      log.warn({ err: cause }, 'the schedule of the reconciler could not be changed: it is made anew');
      await handle.delete();
      await client.schedule.create({ scheduleId, ...schedule });
    }
  }
}
