import type { Action, Generation, Tokens, Usage } from './types.js';
import { numberOf, textOf } from './http.js';

/** Words for a failure whose own are missing. */
const UNKNOWN_ERROR = 'Something went wrong. Please try again.';

/**
 * The generation after a status body arrived, or null where the body is none. Fields and values that are not known yet
 * are taken for the nearest known thing: a new status is a running one, a new code is shown as it is.
 */
export function readStatus(now: Generation, body: Record<string, unknown>): Generation | null {
  const status = textOf(body.status);
  if (status === null) return null;
  const message = textOf(body.message) ?? now.message;
  const seen = { ...now, connection: 'online' as const, message, tokens: tokensOf(body.tokens), detail: null };
  if (status === 'completed') {
    const prompt = textOf(body.prompt);
    if (prompt === null) return null;
    return {
      ...seen,
      ...NO_PROBLEM,
      ...OVER,
      state: 'completed',
      prompt,
      generatedByAi: body.generated_by_ai !== false,
      warning: textOf(body.warning),
      usage: usageOf(body.usage),
      model: textOf(body.model),
    };
  }
  if (status === 'failed') {
    return {
      ...seen,
      ...NO_RESULT,
      ...OVER,
      state: 'failed',
      error: textOf(body.error) ?? message ?? UNKNOWN_ERROR,
      errorCode: textOf(body.error_code) ?? 'internal',
      action: textOf(body.action) as Action | null,
    };
  }
  const progress = Math.max(now.progress, Math.min(99, numberOf(body.progress) ?? 0));
  return {
    ...seen,
    ...NO_RESULT,
    ...NO_PROBLEM,
    state: status === 'queued' ? 'queued' : 'processing',
    // Words of an earlier step than the one shown (a server that fell behind) would contradict the number.
    message: (numberOf(body.progress) ?? 0) < now.progress ? now.message : message,
    progress,
    stale: body.stale === true,
    detail: objectOf(body.detail),
  };
}

const OVER = { progress: 100, stale: false, partialText: null } as const;
export const NO_RESULT = { prompt: null, generatedByAi: null, warning: null, usage: null, model: null } as const;
export const NO_PROBLEM = { error: null, errorCode: null, action: null } as const;

const objectOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;

function tokensOf(value: unknown): Tokens | null {
  const tokens = objectOf(value);
  const available = numberOf(tokens?.available);
  if (available === null) return null;
  const charged = numberOf(tokens?.charged);
  const required = numberOf(tokens?.required);
  return { available, ...(charged === null ? {} : { charged }), ...(required === null ? {} : { required }) };
}

function usageOf(value: unknown): Usage | null {
  const usage = objectOf(value);
  const total_tokens = numberOf(usage?.total_tokens);
  if (total_tokens === null) return null;
  return {
    prompt_tokens: numberOf(usage?.prompt_tokens) ?? 0,
    completion_tokens: numberOf(usage?.completion_tokens) ?? 0,
    total_tokens,
  };
}
