import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import DataLoader from 'dataloader';
import type { GenerationMemo } from '../contract/names.js';
import type { StartedBefore } from '../ledger/types.js';
import { withDeadline } from '../with-deadline.js';
import { createAdmissions } from './admissions.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import { createFindWork } from './find-work.js';
import { NO_MORE, type Overload } from './overload.js';
import { createRevoke } from './revoke.js';
import { createStartRun } from './start-run.js';
import { keyedTaskId, newTaskId, requestHash } from './task-id.js';
import type { Generations, StartResult } from './types.js';

/** Each with its texts. */
const KEYS_AT_ONCE = 100;

type StartRequest = Parameters<Generations['start']>[0];

/** `known`: Temporal was asked for this very run before. `unconfirmed`: nobody can say whether it began. */
type Attempt = 'started' | 'known' | 'refused' | 'unconfirmed';

/**
 * Starts a generation: one round trip to the ledger, for the owner's limits and for what a key started before, and one
 * to Temporal. The ledger stops no start while it is away, unless the encryption key of an owner new to this process is
 * to be had from it. Where the owner takes equal work for its own, one round trip more tells which work that is; and
 * nothing is started where there is a result of it, or a task that is at it.
 */
export function createStart(
  deps: GenerationsDeps & { modelId: () => string | undefined },
  overload: Overload,
): Generations['start'] {
  const { client, ledger, log, assignKey } = deps;
  const { admit, withdraw } = createAdmissions(deps);
  const startRun = createStartRun(deps);
  const findWork = createFindWork(deps);
  const revoke = createRevoke(deps);
  // The keys that arrive together are one query: while the service has too much to do, many come again and again.
  const starts = new DataLoader<string, StartedBefore>((taskIds) => ledger.getStarted(taskIds), {
    cache: false,
    batchScheduleFn: setImmediate,
    maxBatchSize: KEYS_AT_ONCE,
  });

  return async (request) => {
    const { owner, manualPrompt, idempotencyKey } = request;
    const keyed = idempotencyKey !== undefined;
    const taskId = keyed ? keyedTaskId(owner, idempotencyKey) : (request.taskId ?? newTaskId());
    const workKey = request.reuse ? await findWork(owner, manualPrompt) : undefined;
    const overloaded = overload.refuses(owner);
    // Only with a key there may be something that it started before. It is refused by one look.
    if (overloaded && workKey === undefined && !(keyed && (await isKnown(taskId)))) return overload.refusal(owner);
    // What needs no run may be served all the same.
    const limits = overloaded ? { ...deps.limits, runningTasks: NO_MORE.runningTasks } : deps.limits;
    const [known, admission] = await Promise.all([
      keyed ? startedBefore(taskId, request) : null,
      admit(
        owner,
        taskId,
        limits,
        workKey === undefined ? undefined : { workKey, manualPrompt, requestHash: requestHash(manualPrompt), keyed },
      ),
    ]);
    const tookPlace = admission?.outcome === 'admitted' && admission.isNew;
    if (!overloaded && admission && !tookPlace) overload.giveBack();
    const quota = admission ? { quota: admission.quota } : {};
    if (admission?.outcome === 'cached') return { outcome: 'cached', taskId, ...quota };
    if (admission?.outcome === 'joined' && (admission.isNew || !known)) {
      return { ...(await join(admission.taskId, request)), ...quota };
    }
    // Of two equal requests at once the other one may have been answered meanwhile.
    const isRepeated = keyed && admission?.outcome === 'admitted' && !admission.isNew;
    const before = known ?? (isRepeated ? await startedBefore(taskId, request) : null);
    if (!before && overloaded && admission?.outcome !== 'admitted') return overload.refusal(owner);
    // A repeated request is answered, whatever else its owner started.
    if (!before && (admission?.outcome === 'limited' || admission?.outcome === 'erased')) return admission;
    const attempt = before ? 'known' : await startWorkflow(taskId, request);
    const result = before ?? (await resultOf(attempt, taskId, request));
    const cameToNothing = before !== null || result.outcome === 'unavailable';
    const isShared = tookPlace && cameToNothing && !(await withdraw(taskId));
    // A caller with a key asks again and gets this very task; one without would pay for a task it never heard of.
    if (attempt === 'unconfirmed' && !keyed && !isShared) void revoke({ workflowId: taskId, owner, taskIds: [taskId] });
    return { ...result, ...quota };
  };

  /** What a key stands for; null where nobody can say. */
  async function lookUp(taskId: string): Promise<StartedBefore | null> {
    try {
      return await withDeadline(starts.load(taskId), DEADLINE_MS.ledger);
    } catch (error) {
      log.warn({ err: error, task_id: taskId }, 'the ledger could not be asked for a repeated start');
      return null;
    }
  }

  /** Whether a key is known to stand for something. */
  async function isKnown(taskId: string): Promise<boolean> {
    const known = await lookUp(taskId);
    return known !== null && (known.hasPlace || known.generation !== null || known.joined !== null);
  }

  /** What became of the request's own task. */
  async function resultOf(attempt: Attempt, taskId: string, request: StartRequest): Promise<StartResult> {
    // An id that nobody could know is known where who joined its task was quicker to start it.
    if (attempt === 'started' || (attempt === 'known' && request.idempotencyKey === undefined))
      return { outcome: 'started', taskId };
    if (attempt === 'known') return compare(taskId, request.owner, requestHash(request.manualPrompt));
    return { outcome: 'unavailable' };
  }

  /**
   * Answers with a task at equal work. Whoever began it may still be about to, and fail: so it is started here as well,
   * which Temporal does once, and nobody is told of a task that never was.
   */
  async function join(taskId: string, request: StartRequest): Promise<StartResult> {
    const attempt = await startWorkflow(taskId, request);
    return attempt === 'started' || attempt === 'known' ? { outcome: 'joined', taskId } : { outcome: 'unavailable' };
  }

  async function startWorkflow(
    taskId: string,
    { owner, manualPrompt, idempotencyKey, requestId }: StartRequest,
  ): Promise<Attempt> {
    const giveUpAt = performance.now() + DEADLINE_MS.start;
    try {
      await withDeadline(assignKey(taskId, owner), DEADLINE_MS.key);
    } catch (error) {
      log.error({ err: error, task_id: taskId }, "an owner's encryption key could not be had");
      return 'refused';
    }
    try {
      const run = {
        taskId,
        input: { owner, manualPrompt },
        memo: { owner, request_hash: requestHash(manualPrompt), request_id: requestId },
        keyed: idempotencyKey !== undefined,
      };
      await within(client, giveUpAt - performance.now(), () => startRun(run));
      return 'started';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'known';
      log.error({ err: error, task_id: taskId }, 'a generation could not be started');
      return 'unconfirmed';
    }
  }

  /** What the ledger knows of a key's task. It remembers longer than Temporal, which guards the key until then. */
  async function startedBefore(taskId: string, request: StartRequest): Promise<StartResult | null> {
    const { manualPrompt } = request;
    const known = await lookUp(taskId);
    if (!known) return null;
    const { generation: row, joined } = known;
    if (!row || row.manualPrompt === '') {
      // Whatever is equal work by now: the key stands for that task.
      if (joined?.requestHash)
        return joined.requestHash === requestHash(manualPrompt)
          ? join(joined.taskId, request)
          : { outcome: 'key_reused' };
      // A task that ended before its first step has a row without its text, which Temporal may know.
      const existing = { outcome: 'existing', taskId } as const;
      return row?.ended ? compare(taskId, request.owner, requestHash(manualPrompt), existing) : null;
    }
    if (row.manualPrompt !== manualPrompt) return { outcome: 'key_reused' };
    const reused = row.taskId === taskId ? (row.ended?.cached ? 'cached' : undefined) : 'joined';
    return { outcome: 'existing', taskId: row.taskId, ...(reused ? { reused } : {}) };
  }

  /** The key was used before: for this request, or for another one? `forgotten`: where Temporal no longer knows. */
  async function compare(
    taskId: string,
    owner: string,
    hash: string,
    forgotten: StartResult = { outcome: 'unavailable' },
  ): Promise<StartResult> {
    try {
      const { memo } = await within(client, DEADLINE_MS.read, () => client.workflow.getHandle(taskId).describe());
      const { owner: startedBy, request_hash } = memo as unknown as GenerationMemo;
      return startedBy === owner && request_hash === hash ? { outcome: 'existing', taskId } : { outcome: 'key_reused' };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return forgotten;
      log.error({ err: error, task_id: taskId }, 'a repeated start could not be compared with the first one');
      return { outcome: 'unavailable' };
    }
  }
}
