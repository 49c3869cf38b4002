import { z } from 'zod';
import { FAILURE_CODES } from '../../contract/failures.js';
import { Timestamp } from '../openapi/registry.js';
import { Owner, storable } from '../owner.js';
import type { Parameter } from '../route.js';

/** Where support finds tasks. */
export const TASKS_PATH = '/api/v1/support/tasks/';
/** One of them. */
export const TASK_PATH = `${TASKS_PATH}{task_id}/`;

/** Why somebody of support does something, for the record. */
export const Reason = storable()
  .regex(/\S/, 'must not be blank')
  .trim()
  .min(1)
  .max(500)
  .meta({ description: 'Why, for the record; such as the number of a ticket.' });

export const FIND_ID = {
  in: 'query',
  name: 'task_id',
  description: 'Only this one, or the tasks of this batch.',
  schema: storable().max(255).optional(),
  example: '3f0c2a4e-7d1b-4c55-9a38-1f2e6b7c8d90',
} satisfies Parameter;

export const FIND_OWNER = {
  in: 'query',
  name: 'owner',
  description: 'Only those of this owner.',
  schema: Owner.optional(),
  example: 'acct_42',
} satisfies Parameter;

export const FIND_STATE = {
  in: 'query',
  name: 'state',
  description: 'Only those in this state; `fallback` is completed without the AI.',
  schema: z.enum(['processing', 'completed', 'fallback', 'failed']).optional(),
  example: 'failed',
} satisfies Parameter;

export const FIND_CODE = {
  in: 'query',
  name: 'error_code',
  description: 'Only those that failed so.',
  schema: z.enum(FAILURE_CODES).optional(),
  example: 'internal',
} satisfies Parameter;

export const FIND_FROM = {
  in: 'query',
  name: 'from',
  description: 'Only those created at or after then.',
  schema: Timestamp.optional(),
  example: '2026-11-24T08:00:00Z',
} satisfies Parameter;

export const FIND_TO = {
  in: 'query',
  name: 'to',
  description: 'Only those created before then.',
  schema: Timestamp.optional(),
  example: '2026-11-24T10:00:00Z',
} satisfies Parameter;

export const FIND_TEXT = {
  in: 'query',
  name: 'q',
  description:
    'Only those with this text, in any case, in the reason or in the words of the error that the owner reads.',
  schema: storable().min(1).max(200).optional(),
  example: 'model answered 401',
} satisfies Parameter;
