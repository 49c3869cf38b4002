import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { GenerationMemo } from '../contract/names.js';
import { withDeadline } from '../with-deadline.js';
import { createAdmissions } from './admissions.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { NO_MORE, type Overload } from './overload.js';
import { createRevoke } from './revoke.js';
import { createStartRun } from './start-run.js';
import { keyedTaskId, newTaskId, requestHash } from './task-id.js';
import type { Generations, StartResult } from './types.js';

type StartRequest = Parameters<Generations['start']>[0];

/**
 * Starts a generation: one round trip to the ledger, for the owner's limits and for what a key started before, and one
 * to Temporal. The ledger stops no start while it is away, unless the encryption key of an owner new to this process is
 * to be had from it.
 */
export function createStart(deps: GenerationsDeps, overload: Overload): Generations['start'] {
  const { client, ledger, log, assignKey } = deps;
  const { admit, withdraw } = createAdmissions(deps);
  const startRun = createStartRun(deps);
  const refused = (): StartResult => ({ outcome: 'overloaded', retryAfterMs: overload.retryAfterMs() });
  const revoke = createRevoke(deps);

  return async (request) => {
    const { owner, manualPrompt, idempotencyKey } = request;
    const taskId = idempotencyKey === undefined ? newTaskId() : keyedTaskId(owner, idempotencyKey);
    const overloaded = overload.refuses(owner);
    // Without a key there is nothing that it may have started before.
    if (overloaded && idempotencyKey === undefined) return refused();
    const [before, admission] = await Promise.all([
      idempotencyKey === undefined ? null : startedBefore(taskId, manualPrompt),
      admit(owner, taskId, overloaded ? NO_MORE : deps.limits),
    ]);
    if (!before && overloaded && admission?.outcome !== 'admitted') return refused();
    // A repeated request is answered, whatever else its owner started.
    if (!before && (admission?.outcome === 'limited' || admission?.outcome === 'erased')) return admission;
    const result = before ?? (await startWorkflow(taskId, request));
    const tookPlace = admission?.outcome === 'admitted' && admission.isNew;
    if (tookPlace && (before || result.outcome === 'unavailable')) await withdraw(taskId);
    return { ...result, ...(admission ? { quota: admission.quota } : {}) };
  };

  async function startWorkflow(
    taskId: string,
    { owner, manualPrompt, idempotencyKey, requestId }: StartRequest,
  ): Promise<StartResult> {
    const request_hash = requestHash(manualPrompt);
    const giveUpAt = Date.now() + DEADLINE_MS.start;
    try {
      await withDeadline(assignKey(taskId, owner), DEADLINE_MS.key);
    } catch (error) {
      log.error({ err: error, task_id: taskId }, "an owner's encryption key could not be had");
      return { outcome: 'unavailable' };
    }
    try {
      const keyed = idempotencyKey !== undefined;
      const run = {
        taskId,
        input: { owner, manualPrompt },
        memo: { owner, request_hash, request_id: requestId },
        keyed,
      };
      await within(client, giveUpAt - Date.now(), () => startRun(run));
      return { outcome: 'started', taskId };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return compare(taskId, owner, request_hash);
      log.error({ err: error, task_id: taskId }, 'a generation could not be started');
      // A caller with a key asks again and gets this very task; one without would pay for a task it never heard of.
      if (idempotencyKey === undefined) void revoke(taskId);
      return { outcome: 'unavailable' };
    }
  }

  /** What the ledger knows of a key's task. It remembers longer than Temporal, which guards the key until then. */
  async function startedBefore(taskId: string, manualPrompt: string): Promise<StartResult | null> {
    try {
      const row = await withDeadline(ledger.getGeneration(taskId), DEADLINE_MS.ledger);
      // A task that ended before its first step has a row without its text: Temporal still knows that one.
      if (!row || row.manualPrompt === '') return null;
      return row.manualPrompt === manualPrompt ? { outcome: 'existing', taskId } : { outcome: 'key_reused' };
    } catch (error) {
      log.warn({ err: error, task_id: taskId }, 'the ledger could not be asked for a repeated start');
      return null;
    }
  }

  /** The key was used before: for this request, or for another one? */
  async function compare(taskId: string, owner: string, hash: string): Promise<StartResult> {
    try {
      const { memo } = await within(client, DEADLINE_MS.read, () => client.workflow.getHandle(taskId).describe());
      const { owner: startedBy, request_hash } = memo as unknown as GenerationMemo;
      return startedBy === owner && request_hash === hash ? { outcome: 'existing', taskId } : { outcome: 'key_reused' };
    } catch (error) {
      log.error({ err: error, task_id: taskId }, 'a repeated start could not be compared with the first one');
      return { outcome: 'unavailable' };
    }
  }
}
