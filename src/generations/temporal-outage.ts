import { isGrpcServiceError, QueryNotRegisteredError, ServiceError } from '@temporalio/client';

/** gRPC codes that say "not now": cancelled and deadline (both come of our deadlines), exhausted, precondition, unavailable. */
const NOT_NOW = new Set([1, 4, 8, 9, 14]);
/** gRPC's INVALID_ARGUMENT. */
const REFUSED = 3;
const NOT_FOUND = 5;
const codeOf = (error: unknown): number | undefined => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.code;
  }
  return undefined;
};

/**
 * Whether an error of the Temporal client means that an answer can't be had now. Other errors are bugs or settings
 * (permission, namespace) and are logged by the caller, but a reader of a status has the same next step for them.
 */
export const isTemporalOutage = (error: unknown): boolean => NOT_NOW.has(codeOf(error) ?? -1);

/** A query that no worker could answer: none there, a slow one, or one whose code does not fit the run. */
export const isQueryUnanswered = (error: unknown): boolean =>
  error instanceof QueryNotRegisteredError || error instanceof ServiceError || isTemporalOutage(error);

/** Whether Temporal has no such thing. */
export const isNotFound = (error: unknown): boolean => codeOf(error) === NOT_FOUND;

/** Whether Temporal refuses what it was asked, by whomever and whenever: an unknown search attribute, say. */
export const isRefused = (error: unknown): boolean => codeOf(error) === REFUSED;
