import { isTaskId } from '../contract/names.js';
import type { createExportHistory } from '../generations/export-history.js';
import type { createInspect } from '../generations/inspect.js';
import type { Generations } from '../generations/types.js';
import type { SupportLedger } from '../ledger/support-types.js';
import type { By, Ledger } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { codesSaying } from './codes-saying.js';
import { createDoctor, type DoctorDeps } from './doctor.js';
import { createRetry, type RetryDeps } from './retry.js';
import { summaryOf } from './summary.js';
import type { ShowResult, Support, TaskReport } from './types.js';

/** What support needs. */
export interface SupportDeps {
  ledger: Pick<Ledger, 'getAccount' | 'listActions' | 'recordAction'>;
  records: SupportLedger;
  generations: RetryDeps['generations'] & Pick<Generations, 'cancel'>;
  inspect: ReturnType<typeof createInspect>;
  exportHistory: ReturnType<typeof createExportHistory>;
  retries: RetryDeps['retries'];
  costs: RetryDeps['costs'];
  examineTemporal?: NonNullable<DoctorDeps['examineTemporal']>;
  log: Logger;
}

/** Actions of a task that are shown with it. */
const ACTIONS_SHOWN = 20;

/** What support staff do, over the ledger and Temporal. */
export function createSupport(deps: SupportDeps): Support {
  const { ledger, records, generations, inspect } = deps;
  const retry = createRetry(deps);

  return {
    find: ({ text, ...query }) =>
      records.findTasks({ ...query, ...(text === undefined ? {} : { error: { text, codes: codesSaying(text) } }) }),

    show,
    examine: createDoctor(deps),

    async reveal(taskId, reason, by) {
      const texts = isTaskId(taskId) ? await records.revealTexts(taskId, reason, by) : null;
      return texts ? { outcome: 'revealed', texts } : { outcome: 'not_found' };
    },

    async cancel(taskId, reason, by) {
      const owner = await ownerOf(taskId);
      if (typeof owner !== 'string') return owner;
      await note('cancel_task', taskId, { reason, owner }, by);
      return generations.cancel(taskId, { kind: 'owner', owner });
    },

    async exportHistory(taskId, reason, by) {
      const owner = await ownerOf(taskId);
      if (typeof owner !== 'string') return owner;
      await note('export_history', taskId, { reason, owner }, by);
      return deps.exportHistory(taskId);
    },

    async retry(taskId, request, by) {
      const owner = await ownerOf(taskId);
      return typeof owner === 'string' ? retry(taskId, owner, request, by) : owner;
    },
  };

  async function show(taskId: string): Promise<ShowResult> {
    if (!isTaskId(taskId)) return { outcome: 'not_found' };
    const [known, inspected] = await Promise.all([records.ownerOf(taskId), inspect(taskId)]);
    const owner = known ?? (inspected.outcome === 'found' ? inspected.owner : undefined);
    if (owner === undefined) return inspected.outcome === 'unavailable' ? inspected : { outcome: 'not_found' };
    const [status, holds, account, page] = await Promise.all([
      generations.status(taskId, { kind: 'owner', owner }),
      records.listHolds(taskId),
      ledger.getAccount(owner),
      ledger.listActions({ target: taskId, limit: ACTIONS_SHOWN }),
    ]);
    if (status.outcome !== 'found') return status;
    const { snapshot, staleAsOf } = status;
    // After the status, which ends a task in the ledger whose run broke off.
    const record = await records.getTask(taskId);
    const report: Omit<TaskReport, 'summary'> = {
      taskId,
      owner,
      record,
      snapshot,
      ...(staleAsOf === undefined ? {} : { staleAsOf }),
      run: inspected.outcome === 'found' ? inspected.run : inspected.outcome,
      holds,
      account,
      actions: page?.actions ?? [],
    };
    return { outcome: 'found', task: { ...report, summary: summaryOf(report) } };
  }

  /** Whose task it is: by the ledger, or by Temporal where the ledger was away at its start. */
  async function ownerOf(taskId: string): Promise<string | { outcome: 'not_found' | 'unavailable' }> {
    if (!isTaskId(taskId)) return { outcome: 'not_found' };
    const known = await records.ownerOf(taskId);
    if (known !== null) return known;
    const inspected = await inspect(taskId);
    if (inspected.outcome === 'found') return inspected.owner;
    return { outcome: inspected.outcome === 'unavailable' ? 'unavailable' : 'not_found' };
  }

  /** Before it is done: nothing happens that no line tells of. */
  function note(action: string, target: string, details: Record<string, unknown>, by: By): Promise<void> {
    return ledger.recordAction({ by, action, target, details });
  }
}
