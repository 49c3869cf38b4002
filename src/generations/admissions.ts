import type { Admission, BatchAdmission, Ledger, ReuseRequest, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { createTurns } from '../turns.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

/**
 * So many starts of one owner may wait for the ledger at once, in each process. One after the other it admits them well
 * within their deadline; so a flood can't make the ledger too slow to be asked, and pass without it.
 */
const ASKING_AT_ONCE = 100;
const ASK_AGAIN_MS = 1_000;
/** They wait for the owner's lock in the ledger; more than these wait here, and take no connection meanwhile. */
const CONNECTIONS_OF_ONE = 2;

interface AdmissionDeps {
  ledger: Pick<Ledger, 'admit' | 'admitBatch' | 'withdraw'>;
  log: Logger;
}

/** Holds each owner to the limits. */
export interface Admissions {
  /** null: the ledger can't be asked, and stops nobody from starting. */
  admit: (owner: string, taskId: string, limits: StartLimits, reuse?: ReuseRequest) => Promise<Admission | null>;
  /** As `admit`. A batch that the ledger can't be asked for MUST NOT start: it has the rows of its items. */
  admitBatch: (batch: Parameters<Ledger['admitBatch']>[0]) => Promise<BatchAdmission | null>;
  /**
   * Gives a place back, unless somebody has joined its task: then false. Never throws: one that is not given back is free
   * by itself after a while.
   */
  withdraw: (taskId: string) => Promise<boolean>;
}

export function createAdmissions({ ledger, log }: AdmissionDeps): Admissions {
  const turns = createTurns(CONNECTIONS_OF_ONE);

  async function ask<T>(
    { owner, limits }: { owner: string; limits: StartLimits },
    id: string,
    ledgerSays: () => Promise<T>,
  ): Promise<T | Limited | null> {
    if (turns.countOf(owner) >= Math.max(ASKING_AT_ONCE, limits.startsPerMinute)) return TOO_MANY_AT_ONCE;
    try {
      return await turns.take(owner, DEADLINE_MS.ledger, ledgerSays);
    } catch (error) {
      log.warn({ err: error, task_id: id }, 'the limits of an owner could not be applied to a start');
      return null;
    }
  }

  return {
    admit: (owner, taskId, limits, reuse) =>
      ask({ owner, limits }, taskId, () => ledger.admit({ owner, taskId, limits, ...(reuse ? { reuse } : {}) })),
    admitBatch: (batch) => ask(batch, batch.batchId, () => ledger.admitBatch(batch)),

    async withdraw(taskId) {
      try {
        return await withDeadline(ledger.withdraw(taskId), DEADLINE_MS.ledger);
      } catch (error) {
        log.warn({ err: error, task_id: taskId }, 'a start that came to nothing could not be taken back');
        return true;
      }
    },
  };
}

type Limited = Extract<Admission, { outcome: 'limited' }>;

const TOO_MANY_AT_ONCE: Limited = {
  outcome: 'limited',
  limit: 'starts',
  retryAfterMs: ASK_AGAIN_MS,
  quota: { starts: 0, startsResetMs: ASK_AGAIN_MS, running: 0 },
};
