import { APIConnectionError, APIError } from 'openai';
import { LlmError } from './llm.js';

const RETRYABLE_STATUS = new Set([408, 409, 429]);

/**
 * What an error of the `openai` package means for us. Its own messages are left out: they may quote the request or part
 * of the key. Anything unknown is taken for a passing fault of the network, as streams break in many ways.
 */
export function toLlmError(error: unknown): LlmError {
  if (error instanceof LlmError) return error;
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const { status, code, headers } = error as APIError;
    if (status === undefined) return new LlmError('The model reported an error in its answer', true);
    const retryable = RETRYABLE_STATUS.has(status) || status >= 500;
    return new LlmError(`The model answered ${status}${shown(code)}`, retryable, retryAfterMs(headers), status);
  }
  if (error instanceof SyntaxError) return new LlmError('The model answered with something that is not JSON', true);
  return new LlmError(`The connection to the model failed (${causeOf(error)})`, true);
}

const shown = (code: string | null | undefined): string => (code && /^[a-z_]{1,60}$/.test(code) ? ` (${code})` : '');

/** The system's short code (ECONNREFUSED, ...), as messages may name hosts. */
function causeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return error instanceof Error ? error.name : 'unknown';
}

/** `Retry-After` in milliseconds from now; it may hold seconds or a date, which is by the clock of whoever sent it. */
function retryAfterMs(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  if (!value) return undefined;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds)
    ? Date.parse(value) - (Date.parse(headers?.get('date') ?? '') || Date.now())
    : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
