import { isBatchEnded } from '../contract/batch.js';
import { BATCH_MAX_ITEMS, itemTaskId } from '../contract/names.js';
import type { Admissions } from '../generations/admissions.js';
import { createBatchStatus } from '../generations/batch-status.js';
import { subscribeBy } from '../generations/batches.js';
import { newBatchId, requestHash } from '../generations/task-id.js';
import type { Batches, Generations } from '../generations/types.js';
import type { Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { chooseScenario } from './choose-scenario.js';
import type { CurrentRequest } from './current-request.js';
import { refuse } from './refuse.js';
import type { Course } from './scenarios.js';
import type { Task } from './task.js';

interface BatchDeps extends Pick<Generations, 'status' | 'subscribe'> {
  ledger: Pick<Ledger, 'getBatch'>;
  limits: StartLimits;
  log: Logger;
  request: CurrentRequest;
  admitBatch: Admissions['admitBatch'];
  begin: (task: Pick<Task, 'taskId' | 'owner' | 'manualPrompt'>, course: Course) => void;
  /** One that runs. */
  taskOf: (taskId: string) => Task | undefined;
}

/** Batches of simulated tasks, each of which follows its own scenario. Where one is a refusal, the batch is refused. */
export function createSimulatedBatches(deps: BatchDeps): Batches {
  const { limits, request, admitBatch, begin, taskOf } = deps;
  const { status } = createBatchStatus({ ...deps, now: Date.now, alone: true });

  return {
    status,
    subscribe: subscribeBy(deps.subscribe),

    async start({ owner, manualPrompts, idempotencyKey }) {
      const scenarios = manualPrompts.map((text) => chooseScenario(text, request.scenarioHeader()));
      const refused = scenarios.find((scenario) => 'refusedAs' in scenario);
      if (refused) return refuse(refused.refusedAs, limits);
      const courses = scenarios.flatMap((scenario) => ('course' in scenario ? scenario.course : []));
      const batchId = newBatchId(owner, idempotencyKey);
      const items = manualPrompts.map((manualPrompt, index) => ({ taskId: itemTaskId(batchId, index), manualPrompt }));
      const admission = await admitBatch({ batchId, owner, requestHash: requestHash(...manualPrompts), items, limits });
      if (!admission) return { outcome: 'unavailable' };
      if (!('createdAt' in admission)) return admission;
      const { outcome, quota } = admission;
      if (outcome === 'existing') return { outcome, taskId: batchId, quota };
      for (const [index, course] of courses.entries()) {
        const item = items[index];
        if (item) begin({ ...item, owner }, course);
      }
      return { outcome: 'started', taskId: batchId, quota };
    },

    async cancel(batchId, caller) {
      const before = await status(batchId, caller);
      if (before.outcome !== 'found') return before;
      if (isBatchEnded(before.batch)) return { outcome: 'nothing_to_do', status: before };
      for (let index = 0; index < BATCH_MAX_ITEMS; index += 1) taskOf(itemTaskId(batchId, index))?.cancel.abort();
      return { outcome: 'requested', status: before };
    },
  };
}
