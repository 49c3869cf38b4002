import { heartbeat, sleep } from '@temporalio/activity';
import type { ErasedRuns, Erasure, Erasures } from '../ledger/types.js';
import type { RunId } from '../contract/names.js';

/** What the erasure of an owner needs. */
export interface EraseDeps {
  ledger: Pick<Erasures, 'eraseData' | 'listErasedTasks' | 'noteErasedRuns' | 'finishErasure'>;
  /** Every run that Temporal has of these tasks. */
  findRuns: (taskIds: string[]) => Promise<RunId[]>;
  /** Asks Temporal to delete a run, which takes it seconds. One that runs is terminated. */
  deleteRun: (run: RunId) => Promise<void>;
  /** Forgets the keys that were destroyed, in this process. */
  forgetKeys: () => Promise<void>;
}

/** Tasks that are waited for together, and those that are asked for at once. */
const BATCH = 500;
const AT_ONCE = 20;
const REST_MS = 1_000;
const HEARTBEAT_EVERY_MS = 5_000;

/** The steps of the workflow `eraseOwner`, under the names that histories and the Web UI show. */
export type EraseActivities = ReturnType<typeof createEraseActivities>;

/** Each is safe to repeat: what was done is written down. Arguments and results hold no text, and not the owner. */
export const createEraseActivities = (deps: EraseDeps) => {
  const { ledger, forgetKeys } = deps;
  const deleteFew = createDeleteErasedRuns(deps);
  return {
    /** Erases the database's part, in one transaction, which takes minutes where there is much. */
    async eraseData(erasureId: string): Promise<void> {
      const beat = setInterval(heartbeat, HEARTBEAT_EVERY_MS);
      try {
        await ledger.eraseData(erasureId);
      } finally {
        clearInterval(beat);
      }
      await forgetKeys();
    },

    /** Deletes all runs of the erased tasks, and returns when Temporal has none any more. */
    async deleteRuns(erasureId: string): Promise<void> {
      while ((await deleteFew(erasureId)).tasks > 0) await sleep(REST_MS);
    },

    /** Writes the receipt; its counts are the result. */
    async finishErasure(erasureId: string): Promise<Pick<Erasure, 'erased' | 'kept'> | null> {
      const erasure = await ledger.finishErasure(erasureId);
      return erasure && { erased: erasure.erased, kept: erasure.kept };
    },
  };
};

/**
 * Looks once at erased tasks (of one erasure, or of all that have finished) and has the runs deleted that Temporal has.
 * Counts both. The runs are noted before, so that the receipt is right also where this breaks off.
 */
export const createDeleteErasedRuns =
  ({ ledger, findRuns, deleteRun }: Omit<EraseDeps, 'forgetKeys'>) =>
  async (erasureId?: string): Promise<{ tasks: number; runs: number }> => {
    const tasks = await ledger.listErasedTasks({ erasureId, limit: BATCH });
    let count = 0;
    for (let n = 0; n < tasks.length; n += AT_ONCE) {
      const taskIds = tasks.slice(n, n + AT_ONCE);
      const runs = await findRuns(taskIds);
      await ledger.noteErasedRuns(taskIds.map((taskId) => countOf(taskId, runs)));
      await Promise.all(runs.map(deleteRun));
      count += runs.length;
      heartbeat();
    }
    return { tasks: tasks.length, runs: count };
  };

const countOf = (taskId: string, runs: RunId[]): ErasedRuns => ({
  taskId,
  runs: runs.filter((run) => run.taskId === taskId).length,
});
