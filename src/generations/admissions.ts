import type { Admission, Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS } from './deps.js';

/**
 * So many starts of one owner may wait for the ledger at once, in each process. One after the other it admits them well
 * within their deadline; so a flood can't make the ledger too slow to be asked, and pass without it.
 */
const ASKING_AT_ONCE = 100;
const ASK_AGAIN_MS = 1_000;

interface AdmissionDeps {
  ledger: Pick<Ledger, 'admit' | 'withdraw'>;
  log: Logger;
}

/** Holds each owner to the limits. */
export interface Admissions {
  /** null: the ledger can't be asked, and stops nobody from starting. */
  admit: (owner: string, taskId: string, limits: StartLimits) => Promise<Admission | null>;
  /** Gives a place back. Never throws: one that is not given back is free by itself after a while. */
  withdraw: (taskId: string) => Promise<void>;
}

export function createAdmissions({ ledger, log }: AdmissionDeps): Admissions {
  const asking = new Map<string, number>();

  return {
    async admit(owner, taskId, limits) {
      const before = asking.get(owner) ?? 0;
      if (before >= Math.max(ASKING_AT_ONCE, limits.startsPerMinute)) return TOO_MANY_AT_ONCE;
      asking.set(owner, before + 1);
      try {
        return await withDeadline(ledger.admit({ owner, taskId, limits }), DEADLINE_MS.ledger);
      } catch (error) {
        log.warn({ err: error, task_id: taskId }, 'the limits of an owner could not be applied to a start');
        return null;
      } finally {
        const now = (asking.get(owner) ?? 1) - 1;
        if (now === 0) asking.delete(owner);
        else asking.set(owner, now);
      }
    },

    async withdraw(taskId) {
      try {
        await withDeadline(ledger.withdraw(taskId), DEADLINE_MS.ledger);
      } catch (error) {
        log.warn({ err: error, task_id: taskId }, 'a start that came to nothing could not be taken back');
      }
    },
  };
}

const TOO_MANY_AT_ONCE: Admission = {
  outcome: 'limited',
  limit: 'starts',
  retryAfterMs: ASK_AGAIN_MS,
  quota: { starts: 0, startsResetMs: ASK_AGAIN_MS, running: 0 },
};
