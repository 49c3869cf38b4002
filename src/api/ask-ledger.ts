import { ApiError } from './api-error.js';
import { withDeadline } from '../with-deadline.js';

const LEDGER_DEADLINE_MS = 5_000;

/**
 * The ledger's answer. It throws only while the database can't be used: 503 then, and after 5 s without an answer, unless
 * more is waited for than the ledger.
 */
export async function askLedger<T>(answer: Promise<T>, deadlineMs = LEDGER_DEADLINE_MS): Promise<T> {
  try {
    return await withDeadline(answer, deadlineMs);
  } catch (error) {
    throw new ApiError('unavailable', { cause: error });
  }
}
