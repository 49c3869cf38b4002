import { z } from 'zod';

/** Text that PostgreSQL can store: it has no character of code 0. */
export const storable = (): z.ZodString => z.string().regex(/^[^\0]*$/, 'must not contain the character U+0000');

/** Who owns accounts and tasks: the `sub` of a token, as it is. */
export const Owner = storable().min(1).max(255);
