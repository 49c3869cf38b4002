import { BATCH_BODY_MAX_BYTES, MANUAL_PROMPT_MAX_CHARS } from '../../contract/limits.js';
import { BATCH_MAX_ITEMS } from '../../contract/names.js';
import type { StartLimits } from '../../ledger/types.js';
import { ApiError } from '../api-error.js';
import { ERRORS } from '../errors.js';
import { tooLarge } from '../middleware/parse-body.js';
import { validate } from '../validate.js';
import { Reuse } from './schemas.js';

/**
 * The prompt of a request's body: trimmed, and without what no database stores (U+0000, half surrogate pairs).
 * Its length counts code points, so that an emoji is one. Members the API does not know are ignored.
 * Throws `manual_prompt_required` or `manual_prompt_too_long`.
 */
export function manualPromptOf(body: unknown): string {
  return cleanPrompt(memberOf(body, 'manual_prompt'));
}

/**
 * The prompts of a batch's body, each as that of a single one. Its errors say which one is bad. Throws `prompts_required`,
 * `too_many_prompts` or `payload_too_large` besides.
 */
export function manualPromptsOf(body: unknown, { startsPerMinute, runningTasks }: StartLimits): string[] {
  const given: unknown = memberOf(body, 'manual_prompts');
  if (!Array.isArray(given) || given.length === 0) throw new ApiError('prompts_required');
  if (given.length > BATCH_MAX_ITEMS) throw new ApiError('too_many_prompts');
  // More than a limit of the owner's would never be let in.
  if (given.length > startsPerMinute)
    throw tooMany(`At most ${startsPerMinute} generations can be started in a minute, so a batch has no more prompts.`);
  if (given.length > runningTasks)
    throw tooMany(`At most ${runningTasks} generations can run at a time, so a batch has no more prompts.`);
  const prompts = given.map((prompt: unknown, index) => cleanPrompt(prompt, index));
  // A byte that was no UTF-8 has become three, and Temporal takes no more than this.
  if (Buffer.byteLength(JSON.stringify(prompts)) > BATCH_BODY_MAX_BYTES) throw tooLarge(BATCH_BODY_MAX_BYTES);
  return prompts;
}

const tooMany = (detail: string): ApiError => new ApiError('too_many_prompts', { detail });

const memberOf = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null && name in body ? (body as Record<string, unknown>)[name] : undefined;

/** `index`: of an item of a batch. */
function cleanPrompt(given: unknown, index?: number): string {
  const bad = (code: 'manual_prompt_required' | 'manual_prompt_too_long'): ApiError =>
    index === undefined
      ? new ApiError(code)
      : new ApiError(code, {
          detail: ERRORS[code].detail.replace('manual_prompt', `manual_prompts[${index}]`),
          members: { index },
        });
  if (typeof given !== 'string') throw bad('manual_prompt_required');
  const prompt = given
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .trim();
  if (prompt === '') throw bad('manual_prompt_required');
  if (Array.from(prompt).length > MANUAL_PROMPT_MAX_CHARS) throw bad('manual_prompt_too_long');
  return prompt;
}

/** Whether the owner's equal work before is as good; throws `invalid_request`. */
export const reuseOf = (body: unknown): boolean => validate(Reuse, memberOf(body, 'reuse'), { name: 'reuse' }) ?? false;
