import { proxyActivities } from '@temporalio/workflow';
import type { EraseActivities } from '../activities/index.js';
import type { EraseOwnerInput } from '../contract/names.js';

/** It is tried until it is done, however long the database or Temporal's own store is away. */
const retry = { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 10_000 };

/** Thousands of tasks take minutes; the next attempt of `deleteRuns` goes on where the one before broke off. */
const long = { startToCloseTimeout: 60 * 60_000, heartbeatTimeout: 30_000, retry };

const { eraseData } = proxyActivities<EraseActivities>({ ...long, summary: 'Erase what the database has' });
const { deleteRuns } = proxyActivities<EraseActivities>({ ...long, summary: 'Delete the runs of the erased tasks' });
const { finishErasure } = proxyActivities<EraseActivities>({
  startToCloseTimeout: 30_000,
  retry,
  summary: 'Write the receipt',
});

/**
 * Erases the data of an owner. First the database: from then on it refuses whatever a run of these tasks still wants to
 * store or charge, and nobody can read what was encrypted; so runs need not be stopped before. Then Temporal.
 */
export async function eraseOwner({ erasureId }: EraseOwnerInput): ReturnType<EraseActivities['finishErasure']> {
  await eraseData(erasureId);
  await deleteRuns(erasureId);
  return finishErasure(erasureId);
}
