import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DEADLINE_MS, within } from './deps.js';

/** A worker's poll lasts up to a minute; one that has not polled for longer is gone. */
const POLLED_WITHIN_MS = 75_000;

const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;

/** Who polls this task queue for workflows now, as each names itself (`pid@host`). Throws where Temporal does not answer. */
export const readPollers = (client: Client, taskQueue: string): Promise<string[]> =>
  read(client, taskQueue, TASK_QUEUE_TYPE_WORKFLOW);

/** The same of activities. */
export const readActivityPollers = (client: Client, taskQueue: string): Promise<string[]> =>
  read(client, taskQueue, TASK_QUEUE_TYPE_ACTIVITY);

async function read(
  client: Client,
  taskQueue: string,
  taskQueueType: proto.temporal.api.enums.v1.TaskQueueType,
): Promise<string[]> {
  const { pollers } = await within(client, DEADLINE_MS.health, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType,
    }),
  );
  return pollers.filter(isPolling).map(({ identity }) => identity ?? '');
}

/** Temporal lists a poller for some minutes after its last poll. */
export const isPolling = ({ lastAccessTime }: proto.temporal.api.taskqueue.v1.IPollerInfo): boolean =>
  Number(lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - POLLED_WITHIN_MS;
