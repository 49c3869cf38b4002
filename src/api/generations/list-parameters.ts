import { z } from 'zod';
import type { Parameter } from '../route.js';

const SEARCH_MAX_CHARS = 200;

/** `?name=` says as little as no parameter at all. */
const emptyIsNone = <T extends string>(value: T | undefined): Exclude<T, ''> | undefined =>
  value === '' ? undefined : (value as Exclude<T, ''> | undefined);

export const CURSOR = {
  in: 'query',
  name: 'cursor',
  description: '`next_cursor` of the page before.',
  schema: z.string().max(255).optional().transform(emptyIsNone),
  example: 'Z2VuZXJhdGlvbjozZjBjMmE0ZS03ZDFiLTRjNTUtOWEzOC0xZjJlNmI3YzhkOTA',
} satisfies Parameter;

export const LIMIT = {
  in: 'query',
  name: 'limit',
  description: 'Generations on a page.',
  schema: z.coerce.number().int().min(1).max(100).default(20),
  example: 20,
} satisfies Parameter;

export const STATUS = {
  in: 'query',
  name: 'status',
  description: 'Only those of this status; `processing` has the queued ones too.',
  schema: z.enum(['processing', 'completed', 'failed', '']).optional().transform(emptyIsNone),
  example: 'completed',
} satisfies Parameter;

/** Its characters are code points, so that an emoji is one; U+0000 can't be stored, so not found. */
export const SEARCH = {
  in: 'query',
  name: 'q',
  description: 'Only those with this text, in any case, in `manual_prompt` or `prompt`.',
  schema: z
    .string()
    .regex(
      new RegExp(`^[^\\u0000]{0,${SEARCH_MAX_CHARS}}$`, 'u'),
      `must have at most ${SEARCH_MAX_CHARS} characters, none of them U+0000`,
    )
    .meta({ maxLength: SEARCH_MAX_CHARS })
    .optional()
    .transform(emptyIsNone),
  example: 'shoes',
} satisfies Parameter;
