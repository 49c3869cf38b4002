import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Logger } from '../log.js';
import { DEADLINE_MS, within } from './deps.js';
import type { Unavailable } from './types.js';

export type ExportResult =
  /** As Temporal's own tools write it; what is encrypted stays so. */
  | { outcome: 'exported'; history: { events: Record<string, unknown>[] } }
  /** Temporal keeps it no longer, or never had one. */
  | { outcome: 'forgotten' }
  | Unavailable;

/** Reads the history of a task's latest run. */
export function createExportHistory({ client, log }: { client: Client; log: Logger }) {
  return async function exportHistory(taskId: string): Promise<ExportResult> {
    try {
      const history = await within(client, DEADLINE_MS.list, () => client.workflow.getHandle(taskId).fetchHistory());
      return {
        outcome: 'exported',
        history: JSON.parse(historyToJSON(history)) as { events: Record<string, unknown>[] },
      };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { outcome: 'forgotten' };
      log.warn({ err: error, task_id: taskId }, 'a history could not be had from Temporal');
      return { outcome: 'unavailable' };
    }
  };
}
