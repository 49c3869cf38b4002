import type { AppMiddleware } from '../context.js';
import { ApiError } from '../api-error.js';
import { ERRORS } from '../errors.js';
import { PROBLEM_TYPE, problemOf } from '../problem.js';

/** Answers whatever is thrown below it. What is not an ApiError is a bug: logged whole, told as `internal`. */
export const writeErrors: AppMiddleware = async function writeErrors(ctx, next) {
  try {
    await next();
  } catch (thrown) {
    const { log, requestId } = ctx.state;
    const error = thrown instanceof ApiError ? thrown : new ApiError('internal');
    if (error !== thrown) log.error({ err: thrown }, 'unexpected error');
    else if (error.cause !== undefined) log.warn({ err: error.cause, code: error.code }, 'request failed');
    ctx.status = ERRORS[error.code].status;
    ctx.set(error.headers);
    ctx.type = PROBLEM_TYPE;
    ctx.body = problemOf(error, requestId);
  }
};
