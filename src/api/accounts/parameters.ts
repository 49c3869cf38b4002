import { z } from 'zod';
import { Owner } from '../owner.js';
import type { Parameter } from '../route.js';

export const OWNER = {
  in: 'path',
  name: 'owner',
  description: 'The `sub` of the tokens of this account, URL-encoded.',
  schema: Owner,
  example: 'acct_42',
} satisfies Parameter;

export const CURSOR = {
  in: 'query',
  name: 'cursor',
  description: '`next_cursor` of the page before.',
  schema: z.string().min(1).max(255).optional(),
  example: '2',
} satisfies Parameter;

export const LIMIT = {
  in: 'query',
  name: 'limit',
  description: 'Entries on a page.',
  schema: z.coerce.number().int().min(1).max(200).default(50),
  example: 50,
} satisfies Parameter;
