import { isTaskId } from '../contract/names.js';
import { isEnded } from '../contract/snapshot.js';
import { createAdmissions } from '../generations/admissions.js';
import { createFindWork } from '../generations/find-work.js';
import { createList } from '../generations/list.js';
import { storedStatus } from '../generations/stored-status.js';
import { keyedTaskId, newTaskId, requestHash } from '../generations/task-id.js';
import type { Caller, Generations, StartResult, StatusResult } from '../generations/types.js';
import { TaskErased } from '../ledger/task-erased.js';
import type { Ledger, StartLimits } from '../ledger/types.js';
import { withDeadline } from '../with-deadline.js';
import { chooseScenario } from './choose-scenario.js';
import type { CurrentRequest } from './current-request.js';
import { MODEL_ID } from './job.js';
import { createPlay, type PlayDeps } from './play.js';
import type { Course } from './scenarios.js';
import { refuse } from './refuse.js';
import { createSimulatedBatches } from './simulated-batches.js';
import { newTask, type Task } from './task.js';

export interface SimulatorDeps extends PlayDeps {
  ledger: PlayDeps['ledger'] &
    Pick<
      Ledger,
      'getGeneration' | 'listGenerations' | 'admit' | 'admitBatch' | 'withdraw' | 'getBatch' | 'getBusiness'
    > &
    Pick<Ledger, 'requestErasure' | 'eraseData' | 'finishErasure'>;
  limits: StartLimits;
  request: CurrentRequest;
}

export interface SimulatedGenerations extends Generations {
  /** Breaks off what runs. */
  stop(): Promise<void>;
}

/**
 * Generations that follow a scenario in this process, their money booked as always. Only what runs is kept in memory: a
 * task that has ended is read from its row.
 */
export function createSimulatedGenerations(deps: SimulatorDeps): SimulatedGenerations {
  const { ledger, request, log, limits } = deps;
  const { admit, admitBatch } = createAdmissions(deps);
  const findWork = createFindWork({ ledger, log, modelId: () => MODEL_ID });
  const stopping = new AbortController();
  const play = createPlay(deps, stopping.signal);
  const running = new Map<string, { task: Task; over: Promise<void> }>();

  function begin(given: Pick<Task, 'taskId' | 'owner' | 'manualPrompt'>, course: Course): void {
    const task = newTask(given);
    const over = play(task, course)
      .catch((err: unknown) => {
        if (err instanceof TaskErased) return;
        log.error({ err, task_id: task.taskId }, 'a task could not be ended');
      })
      .finally(() => running.delete(task.taskId));
    running.set(task.taskId, { task, over });
  }

  /** What an earlier start under the same key has left: its run, or the row of that. */
  async function startedBefore(taskId: string, manualPrompt: string): Promise<StartResult | null> {
    const row = await ledger.getGeneration(taskId);
    const task = running.get(taskId)?.task;
    if (task && !isReachable(task)) return { outcome: 'unavailable' };
    const before = task ?? row;
    if (!before) return null;
    if (before.manualPrompt !== manualPrompt) return { outcome: 'key_reused' };
    return { outcome: 'existing', taskId, ...(row?.ended?.cached ? { reused: 'cached' } : {}) };
  }

  /** Whether a request about the task is answered. Where its connection is to be cut, it is. */
  function isReachable({ reach }: Task): boolean {
    if (reach === 'cut') request.connection()?.destroy();
    return reach === 'answered' || reach === 'stale';
  }

  const taskOf = (taskId: string): Task | undefined => running.get(taskId)?.task;

  /** What is known of a task, whether or not requests about it are answered. */
  async function read(taskId: string, caller: Caller): Promise<StatusResult> {
    const task = running.get(taskId)?.task;
    if (!task) {
      const row = isTaskId(taskId) ? await ledger.getGeneration(taskId) : null;
      return row?.owner === caller.owner ? storedStatus(row) : { outcome: 'not_found' };
    }
    if (task.owner !== caller.owner) return { outcome: 'not_found' };
    const { snapshot, reach, reachSince } = task;
    return { outcome: 'found', snapshot, ...(reach === 'stale' ? { staleAsOf: reachSince } : {}) };
  }

  async function status(taskId: string, caller: Caller): Promise<StatusResult> {
    const task = running.get(taskId)?.task;
    const mayBeAsked = task?.owner !== caller.owner || isReachable(task);
    return mayBeAsked ? read(taskId, caller) : { outcome: 'unavailable' };
  }

  function subscribe(taskId: string, onChange: () => void): () => void {
    const task = running.get(taskId)?.task;
    task?.subscribers.set(onChange, request.connection());
    return () => task?.subscribers.delete(onChange);
  }

  const batches = createSimulatedBatches({ ...deps, admitBatch, begin, status, subscribe, taskOf });

  return {
    now: Date.now,
    status,
    subscribe,
    batches,
    list: createList(deps, read),
    textOf: (taskId) => running.get(taskId)?.task.text,

    async start({ owner, manualPrompt, idempotencyKey, reuse }) {
      const scenario = chooseScenario(manualPrompt, request.scenarioHeader());
      if ('refusedAs' in scenario) return refuse(scenario.refusedAs, limits);
      const keyed = idempotencyKey !== undefined;
      const taskId = keyed ? keyedTaskId(owner, idempotencyKey) : newTaskId();
      const workKey = reuse ? await findWork(owner, manualPrompt) : undefined;
      const admission = await admit(
        owner,
        taskId,
        limits,
        workKey === undefined ? undefined : { workKey, manualPrompt, requestHash: requestHash(manualPrompt), keyed },
      );
      const quota = admission ? { quota: admission.quota } : {};
      if (admission?.outcome === 'cached') return { outcome: 'cached', taskId, ...quota };
      if (admission?.outcome === 'joined') {
        const joined = { taskId: admission.taskId, ...quota };
        return admission.isNew
          ? { outcome: 'joined', ...joined }
          : { outcome: 'existing', reused: 'joined', ...joined };
      }
      // Nothing may be waited for between this answer and the beginning: equal starts are one task.
      const before = keyed ? await startedBefore(taskId, manualPrompt) : null;
      if (before) return { ...before, ...quota };
      if (admission?.outcome === 'limited' || admission?.outcome === 'erased') return admission;
      log.info({ task_id: taskId, scenario: scenario.name }, 'a task begins');
      begin({ taskId, owner, manualPrompt }, scenario.course);
      return { outcome: 'started', taskId, ...quota };
    },

    async cancel(taskId, caller) {
      const task = running.get(taskId)?.task;
      const before = await status(taskId, caller);
      if (before.outcome !== 'found') return before;
      if (!task || isEnded(before.snapshot) || task.cancel.signal.aborted)
        return { outcome: 'nothing_to_do', status: before };
      task.cancel.abort();
      return { outcome: 'requested', status: before };
    },

    async waitForEnd(taskId, caller, timeoutMs) {
      const run = running.get(taskId);
      const connection = request.connection();
      if (run?.task.owner === caller.owner) {
        run.task.waiting.add(connection);
        try {
          await withDeadline(run.over, timeoutMs);
        } catch {
          return { outcome: 'still_running' };
        } finally {
          run.task.waiting.delete(connection);
        }
      }
      const now = await status(taskId, caller);
      if (now.outcome !== 'found') return now;
      return isEnded(now.snapshot) ? { outcome: 'ended', snapshot: now.snapshot } : { outcome: 'still_running' };
    },

    /** There is no Temporal that could keep anything: it has finished at once. What runs is as if it had never been. */
    async eraseOwner(owner, by) {
      const { erasure } = await ledger.requestErasure(owner, by);
      await ledger.eraseData(erasure.id);
      for (const [taskId, { task }] of [...running]) {
        if (task.owner !== owner) continue;
        running.delete(taskId);
        task.cancel.abort();
      }
      return { outcome: 'erasing', erasure: (await ledger.finishErasure(erasure.id)) ?? erasure };
    },

    // What has ended is read from its row each time.
    forgetTask: () => undefined,

    health: () => Promise.resolve([]),

    async stop() {
      stopping.abort();
      await Promise.all([...running.values()].map(({ over }) => over));
    },
  };
}
