import { z } from 'zod';

/**
 * Text that PostgreSQL stores as it is: without U+0000, which it refuses, and without half a surrogate pair, which would be
 * stored as U+FFFD, so that two different texts would become the same.
 */
export const storable = (): z.ZodString =>
  z
    .string()
    .regex(/^[^\u0000]*$/, 'must not contain the character U+0000')
    .refine((text) => !/\p{Surrogate}/u.test(text), 'must not contain half a surrogate pair');

/** Who owns accounts and tasks: the `sub` of a token, as it is. */
export const Owner = storable().min(1).max(255);
