import type { Overloaded } from '../../generations/types.js';
import type { StartLimit, StartLimits, StartQuota } from '../../ledger/types.js';
import { ApiError } from '../api-error.js';
import type { HeaderName } from '../openapi/headers.js';

/** What every answer to a start that was read may have. */
export const LIMIT_HEADERS = ['RateLimit-Policy', 'RateLimit'] as const satisfies HeaderName[];

/**
 * The limits on starts as headers tell them: structured fields of draft-ietf-httpapi-ratelimit-headers. Tasks that run
 * have no window of time; `concurrent-requests` is the draft's unit for what counts while it lasts.
 */
export const policyHeader = ({ startsPerMinute, runningTasks }: StartLimits): string =>
  `"starts";q=${startsPerMinute};w=60, "running";q=${runningTasks};qu="concurrent-requests"`;

/** What is left of them, and in how many seconds the next start becomes free. */
export const quotaHeader = ({ starts, startsResetMs, running }: StartQuota): string =>
  `"starts";r=${starts};t=${toSeconds(startsResetMs)}, "running";r=${running}`;

/** The error for a start that a limit refused. */
export function limitedError(limit: StartLimit, retryAfterMs: number, limits: StartLimits): ApiError {
  const seconds = Math.max(1, toSeconds(retryAfterMs));
  const sentence = {
    starts: `At most ${limits.startsPerMinute} generations can be started in a minute. Please try again in ${seconds} s.`,
    running: `At most ${limits.runningTasks} generations can run at a time. Please try again when one has ended.`,
  }[limit];
  return new ApiError('rate_limited', { detail: sentence, headers: { 'Retry-After': String(seconds) } });
}

/** The error for a start that comes when the service has too much to do; where that is of one owner, it is a limit like the others. */
export function overloadedError({ byOwner, retryAfterMs }: Overloaded): ApiError {
  const headers = { 'Retry-After': String(toSeconds(retryAfterMs)) };
  return byOwner
    ? new ApiError('rate_limited', { detail: OWN_TASKS_WAIT, headers })
    : new ApiError('overloaded', { headers });
}

const OWN_TASKS_WAIT = 'Too many of your generations wait for their first step. Please try again later.';

const toSeconds = (ms: number): number => Math.ceil(ms / 1000);
