import { z } from 'zod';
import { IDEMPOTENCY_KEY_MAX_CHARS } from '../../contract/limits.js';
import type { Parameter } from '../route.js';

/** Any string: one that is no task id is answered like an unknown one. */
export const TASK_ID = {
  in: 'path',
  name: 'task_id',
  description: 'As the start answered it.',
  schema: z.string(),
  example: '3f0c2a4e-7d1b-4c55-9a38-1f2e6b7c8d90',
} satisfies Parameter;

/** As TASK_ID. */
export const BATCH_ID = {
  in: 'path',
  name: 'batch_id',
  description: 'As the start answered it.',
  schema: z.string(),
  example: '8c1d5e2f-94ab-4f3c-b0d7-6e5a4b3c2d00',
} satisfies Parameter;

const key = z
  .string()
  .min(1)
  .max(IDEMPOTENCY_KEY_MAX_CHARS)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

/** Makes a repeated request the same one, for as long as its task is known. */
export const IDEMPOTENCY_KEY = {
  in: 'header',
  name: 'Idempotency-Key',
  description: 'The same key and body again are the same request: nothing is started or charged twice.',
  schema: key.optional(),
  example: '0b8f7c1e-order-42',
  error: 'invalid_idempotency_key',
} satisfies Parameter;

/** The same, where a request without one is refused. */
export const REQUIRED_IDEMPOTENCY_KEY = { ...IDEMPOTENCY_KEY, schema: key } satisfies Parameter;
