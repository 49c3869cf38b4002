import { z } from 'zod';
import type { Parameter } from '../route.js';

const SEARCH_MAX_CHARS = 200;

/** `?name=` says as little as no parameter at all. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

export const CURSOR = {
  in: 'query',
  name: 'cursor',
  description: '`next_cursor` of the page before.',
  schema: optional(z.string().max(255)),
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
  schema: optional(z.enum(['processing', 'completed', 'failed'])),
  example: 'completed',
} satisfies Parameter;

/** Its characters are code points, so that an emoji is one; those it must not have can't be stored, so not found. */
export const SEARCH = {
  in: 'query',
  name: 'q',
  description: 'Only those with this text, in any case, in `manual_prompt` or `prompt`.',
  schema: optional(
    z
      .string()
      .regex(
        new RegExp(`^[^\\0\\p{Cs}]{1,${SEARCH_MAX_CHARS}}$`, 'u'),
        `must have 1 to ${SEARCH_MAX_CHARS} characters, none of them U+0000 or half a surrogate pair`,
      )
      .meta({ minLength: 1, maxLength: SEARCH_MAX_CHARS }),
  ),
  example: 'shoes',
} satisfies Parameter;
