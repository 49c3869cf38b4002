import proto from '@temporalio/proto';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import type { Generations } from './types.js';

/** A worker's poll lasts up to a minute; one that has not polled for longer is gone. */
const POLLED_WITHIN_MS = 75_000;

/** Whether Temporal answers, and whether a worker polls our task queue. */
export function createHealth({ client, log, taskQueue }: GenerationsDeps): Generations['health'] {
  return async () => {
    try {
      const { pollers } = await within(client, DEADLINE_MS.health, () =>
        client.workflowService.describeTaskQueue({
          namespace: client.options.namespace,
          taskQueue: { name: taskQueue },
          taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        }),
      );
      const since = Date.now() - POLLED_WITHIN_MS;
      const alive = pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > since);
      return alive ? [] : ['worker'];
    } catch (error) {
      log.warn({ err: error }, 'Temporal does not answer');
      return ['temporal'];
    }
  };
}
