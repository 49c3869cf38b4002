import type { z } from 'zod';
import { statusPath } from '../../contract/names.js';
import type { CompletedSnapshot, FailedSnapshot } from '../../contract/snapshot.js';
import { ApiError } from '../api-error.js';
import type { GeneratedPrompt } from './schemas.js';

/** A completed generation in the words of the blocking endpoint. */
export function presentGenerated(snapshot: CompletedSnapshot): z.infer<typeof GeneratedPrompt> {
  return {
    success: true,
    prompt: snapshot.prompt,
    generated_by_ai: snapshot.generated_by_ai,
    message: snapshot.generated_by_ai ? 'Prompt generated successfully using AI' : snapshot.message,
    ...(snapshot.warning === undefined ? {} : { warning: snapshot.warning }),
    task_id: snapshot.task_id,
  };
}

/** The error for a generation that ended without a prompt. */
export function failedError({ error_code, message, error, tokens, task_id }: FailedSnapshot): ApiError {
  const sentence = tokens
    ? `You need at least ${tokens.required} tokens for prompt enhancement. Available: ${tokens.available}`
    : error;
  return new ApiError(error_code, {
    detail: sentence,
    members: { message, error: sentence, task_id, ...(tokens ? { tokens_remaining: tokens.available } : {}) },
  });
}

/** The error for a generation whose end was not seen in time. */
export function stillRunningError(taskId: string): ApiError {
  return new ApiError('still_running', { members: { task_id: taskId, status_url: statusPath(taskId) } });
}
