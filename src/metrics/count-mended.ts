import type { Reconciled } from '../activities/index.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** A reconciler whose rounds are counted by what they found. */
export const countMended =
  (reconcile: () => Promise<Reconciled>, { reconciled }: Pick<WorkerMetrics, 'reconciled'>) =>
  async (): Promise<Reconciled> => {
    const result = await reconcile();
    reconciled.inc({ what: 'hold' }, result.holdsReleased);
    reconciled.inc({ what: 'task' }, result.tasksEnded);
    reconciled.inc({ what: 'erased_run' }, result.runsErased);
    return result;
  };
