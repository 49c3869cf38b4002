import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto from '@temporalio/proto';
import type { GeneratePromptInput } from '../contract/names.js';
import { PayloadErased } from '../encryption/payload-codec.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { failedStepOf, type FailedStep } from './failed-step.js';
import { isOpen } from './is-open.js';
import { createStartRun, type NewRun } from './start-run.js';
import { requestHash } from './task-id.js';
import { dateOf } from './timeline.js';
import type { Unavailable } from './types.js';

const { ResetReapplyExcludeType } = proto.temporal.api.enums.v1;

/** A cancellation or the news of the call that failed must not come again. */
const NOT_AGAIN = [
  ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
  ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
  ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST,
];

/** What Temporal has of a task that shall run again. */
export type RetryBasis =
  | { outcome: 'known'; input: GeneratePromptInput; runId: string; startedAt: Date; failedStep: FailedStep | null }
  /** Its end is stored before its run is closed; or somebody else lets it run again. */
  | { outcome: 'running' }
  /** It keeps it no longer. */
  | { outcome: 'forgotten' }
  | Unavailable;

export type RunAgainResult =
  | { outcome: 'runs' }
  /** Somebody else was faster. */
  | { outcome: 'running' }
  | Unavailable;

/** Lets a task that has ended run again, as the same task. The ledger MUST have noted it before. */
export interface Retries {
  basis: (taskId: string, refused: boolean) => Promise<RetryBasis>;
  /** From its start. `askedFor`: the owner's own text, which an Idempotency-Key stands for. */
  startAgain: (task: {
    taskId: string;
    owner: string;
    manualPrompt: string;
    askedFor: string;
    requestId: string;
  }) => Promise<RunAgainResult>;
  /** From a step on, with the results of those before. */
  resetTo: (task: { taskId: string; runId: string; step: FailedStep }) => Promise<RunAgainResult>;
}

export function createRetries(deps: Pick<GenerationsDeps, 'client' | 'log' | 'taskQueue' | 'assignKey'>): Retries {
  const { client, log, assignKey } = deps;
  const { namespace } = client.options;
  const startRun = createStartRun(deps);

  return {
    async basis(taskId, refused) {
      try {
        const handle = client.workflow.getHandle(taskId);
        const { raw } = await within(client, DEADLINE_MS.read, () => handle.describe());
        if (isOpen(raw)) return { outcome: 'running' };
        const runId = raw.workflowExecutionInfo?.execution?.runId ?? '';
        const { events } = await within(client, DEADLINE_MS.list, () =>
          client.workflow.getHandle(taskId, runId).fetchHistory(),
        );
        const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
        const input = await decodeFromPayloadsAtIndex<GeneratePromptInput>(
          client.options.loadedDataConverter,
          0,
          payloads,
          { type: 'workflow', namespace, workflowId: taskId },
        );
        const startedAt = dateOf(events?.[0]?.eventTime);
        return { outcome: 'known', input, runId, startedAt, failedStep: failedStepOf(events ?? [], refused) };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || error instanceof PayloadErased) return { outcome: 'forgotten' };
        log.warn({ err: error, task_id: taskId }, 'Temporal could not be asked for a run');
        return { outcome: 'unavailable' };
      }
    },

    async startAgain({ taskId, owner, manualPrompt, askedFor, requestId }) {
      try {
        await withDeadline(assignKey(taskId, owner), DEADLINE_MS.key);
        const run: NewRun = {
          taskId,
          input: { owner, manualPrompt, repeated: true },
          memo: { owner, request_hash: requestHash(askedFor), request_id: requestId },
          keyed: false,
          again: true,
        };
        await within(client, DEADLINE_MS.start, () => startRun(run));
        return { outcome: 'runs' };
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return { outcome: 'running' };
        log.error({ err: error, task_id: taskId }, 'a task could not be started again');
        return { outcome: 'unavailable' };
      }
    },

    async resetTo({ taskId, runId, step }) {
      try {
        const { raw } = await within(client, DEADLINE_MS.read, () => client.workflow.getHandle(taskId).describe());
        if (isOpen(raw) || raw.workflowExecutionInfo?.execution?.runId !== runId) return { outcome: 'running' };
        await within(client, DEADLINE_MS.start, () =>
          client.workflowService.resetWorkflowExecution({
            namespace,
            workflowExecution: { workflowId: taskId, runId },
            reason: 'retried by support',
            workflowTaskFinishEventId: step.eventId,
            requestId: randomUUID(),
            resetReapplyExcludeTypes: NOT_AGAIN,
          }),
        );
        return { outcome: 'runs' };
      } catch (error) {
        log.error({ err: error, task_id: taskId }, 'a run could not be reset');
        return { outcome: 'unavailable' };
      }
    },
  };
}
