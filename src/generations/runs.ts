import { isGrpcServiceError, type Client } from '@temporalio/client';
import type { RunId } from '../contract/names.js';
import { DEADLINE_MS, within } from './deps.js';

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;
/** More runs of a few tasks than resets ever make; what is over that is found when these are gone. */
const PAGE = 1_000;

/**
 * The runs of tasks, by the raw service: the client's own methods would decode memos, whose key may be destroyed.
 * Each call has a deadline.
 */
export function createRuns(client: Client) {
  const { namespace } = client.options;
  const call = <T>(rpc: () => Promise<T>): Promise<T> => within(client, DEADLINE_MS.list, rpc);

  /** null: Temporal has none, of this task or of this id. */
  async function describe({ taskId, runId }: Omit<RunId, 'runId'> & { runId?: string }): Promise<RunId | null> {
    try {
      const execution = { workflowId: taskId, ...(runId === undefined ? {} : { runId }) };
      const { workflowExecutionInfo: info } = await call(() =>
        client.workflowService.describeWorkflowExecution({ namespace, execution }),
      );
      return { taskId, runId: info?.execution?.runId ?? '' };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** What the list of runs has of them; it may lag behind, so that each is asked for. */
  async function listed(taskIds: string[]): Promise<RunId[]> {
    const query = `WorkflowId IN (${taskIds.map((id) => `'${id}'`).join(', ')})`;
    const { executions } = await call(() =>
      client.workflowService.listWorkflowExecutions({ namespace, query, pageSize: PAGE }),
    );
    return executions.map(({ execution }) => ({ taskId: execution?.workflowId ?? '', runId: execution?.runId ?? '' }));
  }

  return {
    /** Every run of these tasks: the latest ones, which the list may not have yet, and those before an operator's reset. */
    async findRuns(taskIds: string[]): Promise<RunId[]> {
      const latest = await Promise.all(taskIds.map((taskId) => describe({ taskId })));
      const known = new Set(latest.map((run) => run?.runId));
      const others = (await listed(taskIds)).filter(({ runId }) => !known.has(runId));
      const found = [...latest, ...(await Promise.all(others.map(describe)))];
      return found.filter((run) => run !== null);
    },

    /** Has a run deleted, which takes seconds. One that runs is terminated. */
    async deleteRun({ taskId, runId }: RunId): Promise<void> {
      try {
        await call(() =>
          client.workflowService.deleteWorkflowExecution({
            namespace,
            workflowExecution: { workflowId: taskId, runId },
          }),
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

function isNotFound(error: unknown): boolean {
  const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
  return code === NOT_FOUND;
}
