import { proxyActivities } from '@temporalio/workflow';
import type { ReconcileActivities, Reconciled } from '../activities/index.js';

/** A round takes milliseconds; one that looks at a thousand tasks takes seconds. The next one comes in a minute. */
const { reconcile: reconcileOnce } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: 50_000,
  heartbeatTimeout: 15_000,
  scheduleToCloseTimeout: 55_000,
  retry: { initialInterval: 2_000, maximumAttempts: 3 },
  summary: 'Release expired holds, end what broke off',
});

/** One round of the reconciler, started by its schedule; its result says what was found. */
export const reconcile = (): Promise<Reconciled> => reconcileOnce();
