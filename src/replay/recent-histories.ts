import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { BATCH_WORKFLOW_TYPE, ERASE_WORKFLOW_TYPE, WORKFLOW_TYPE } from '../contract/names.js';

const PAGE = 200;
/** Those that outlast a deploy: the rounds of the reconciler, one a minute, are over in seconds. */
const TYPES = [WORKFLOW_TYPE, BATCH_WORKFLOW_TYPE, ERASE_WORKFLOW_TYPE].map((type) => `'${type}'`).join(', ');
/** For each call of Temporal. */
const DEADLINE_MS = 10_000;

/** A run's history as JSON. */
export interface RecentHistory {
  taskId: string;
  runId: string;
  history: unknown;
}

/**
 * The newest histories of a task queue, running ones, too. By the raw service: the client's own list decodes memos, for
 * which nobody may have the key any more.
 */
export async function* recentHistories(
  client: Client,
  taskQueue: string,
  limit: number,
): AsyncGenerator<RecentHistory> {
  const { namespace } = client.options;
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND WorkflowType IN (${TYPES})`;
  let left = limit;
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await client.withDeadline(Date.now() + DEADLINE_MS, () =>
      client.workflowService.listWorkflowExecutions({
        namespace,
        query,
        pageSize: Math.min(PAGE, left),
        nextPageToken,
      }),
    );
    for (const { execution } of page.executions) {
      const [taskId, runId] = [execution?.workflowId ?? '', execution?.runId ?? ''];
      const history = await client.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.getHandle(taskId, runId).fetchHistory(),
      );
      yield { taskId, runId, history: JSON.parse(historyToJSON(history)) as unknown };
    }
    left -= page.executions.length;
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0 && left > 0);
}
