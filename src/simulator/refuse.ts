import { ApiError } from '../api/api-error.js';
import type { ErrorCode } from '../api/errors.js';
import type { StartResult } from '../generations/types.js';
import type { StartLimits } from '../ledger/types.js';

/** Short, for those who wait for it in front of a page. */
const LIMITED_FOR_MS = 2_000;

/** What an owner is told who started too many, though nobody counted; any other refusal is thrown. */
export function refuse(code: ErrorCode, { runningTasks }: StartLimits): StartResult {
  if (code !== 'rate_limited') throw new ApiError(code);
  return {
    outcome: 'limited',
    limit: 'starts',
    retryAfterMs: LIMITED_FOR_MS,
    quota: { starts: 0, startsResetMs: LIMITED_FOR_MS, running: runningTasks },
  };
}
