import { heartbeat, log } from '@temporalio/activity';
import { OVERDUE_MS, STARTS_KEPT_MS, TOLD_KEPT_MS } from '../contract/limits.js';
import type { Ledger, TaskOfOwner } from '../ledger/types.js';

/** What one round found and did; all zero where nothing was broken. */
export interface Reconciled {
  /** Holds that nobody had settled or released, and whose time was over. */
  holdsReleased: number;
  /** Tasks whose run had ended without its last step, and which were ended in the ledger now. */
  tasksEnded: number;
  /** Runs of erased tasks that Temporal had all the same, and which are deleted now. */
  runsErased: number;
  /** Tasks older than any run may be that still have no end: they run again after an operator's reset, or somebody should look. */
  tasksLeft: number;
}

/** What `reconcile` needs. */
export interface ReconcileDeps {
  ledger: Pick<Ledger, 'releaseExpiredHolds' | 'listOverdue' | 'forgetOldStarts' | 'forgetOldTold'>;
  /** Looks at a task as a poll of its owner would: one whose run has ended without a result is ended in the ledger then. */
  lookAt: (task: TaskOfOwner) => Promise<unknown>;
  /** Deletes runs of tasks that were erased before, and counts them. */
  deleteErasedRuns: () => Promise<{ runs: number }>;
}

/** What is left over comes with the next round. */
const TASKS_PER_ROUND = 1_000;
const AT_ONCE = 10;

/** The reconciler's activity, under the name that histories and the Web UI show. */
export type ReconcileActivities = { reconcile: ReturnType<typeof createReconcile> };

/**
 * Finds what runs left behind that could not end by themselves (terminated, timed out, or the database was away at
 * their end): releases expired holds, ends the tasks. A part that fails stops no other one; then the round fails. Safe to
 * repeat.
 */
export const createReconcile =
  ({ ledger, lookAt, deleteErasedRuns }: ReconcileDeps) =>
  async (): Promise<Reconciled> => {
    const failures: unknown[] = [];
    const part = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await work();
      } catch (error) {
        failures.push(error);
        log.warn('a part of the reconciliation failed', { part: name, error });
        return undefined;
      }
    };
    const holdsReleased = (await part('holds', () => ledger.releaseExpiredHolds(heartbeat))) ?? 0;
    await part('starts', () => ledger.forgetOldStarts(STARTS_KEPT_MS));
    await part('told', () => ledger.forgetOldTold(TOLD_KEPT_MS));
    const runsErased = (await part('erased runs', deleteErasedRuns))?.runs ?? 0;
    const overdue = () => ledger.listOverdue({ olderThanMs: OVERDUE_MS, limit: TASKS_PER_ROUND });
    const found = await overdue();
    for (let n = 0; n < found.length; n += AT_ONCE) {
      await Promise.all(found.slice(n, n + AT_ONCE).map(lookAt));
      heartbeat();
    }
    const left = new Set(found.length === 0 ? [] : (await overdue()).map(({ taskId }) => taskId));
    const tasksLeft = found.filter(({ taskId }) => left.has(taskId)).length;
    const report = { holdsReleased, tasksEnded: found.length - tasksLeft, runsErased, tasksLeft };
    if (holdsReleased + found.length + runsErased > 0)
      log.warn('what broken-off runs left behind was reconciled', { ...report });
    if (failures.length > 0) throw failures[0];
    return report;
  };
