import { MANUAL_PROMPT_MAX_CHARS } from '../../contract/limits.js';
import { ApiError } from '../api-error.js';

/**
 * The prompt of a request's body: trimmed, and without what no database stores (U+0000, half surrogate pairs).
 * Its length counts code points, so that an emoji is one. Members the API does not know are ignored.
 * Throws `manual_prompt_required` or `manual_prompt_too_long`.
 */
export function manualPromptOf(body: unknown): string {
  const given = typeof body === 'object' && body !== null && 'manual_prompt' in body ? body.manual_prompt : undefined;
  if (typeof given !== 'string') throw new ApiError('manual_prompt_required');
  const prompt = given
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .trim();
  if (prompt === '') throw new ApiError('manual_prompt_required');
  if (Array.from(prompt).length > MANUAL_PROMPT_MAX_CHARS) throw new ApiError('manual_prompt_too_long');
  return prompt;
}
