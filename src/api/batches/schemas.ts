import { z } from 'zod';
import { FAILURE_CODES } from '../../contract/failures.js';
import { BATCH_MAX_ITEMS } from '../../contract/names.js';
import { GenerateRequest } from '../generations/schemas.js';
import { named, Timestamp } from '../openapi/registry.js';

/** What the document says of the body; `manualPromptsOf` reads it. */
export const BatchRequest = named(
  'BatchRequest',
  z.object({
    manual_prompts: z
      .array(GenerateRequest.shape.manual_prompt)
      .min(1)
      .max(BATCH_MAX_ITEMS)
      .meta({ description: 'Rough instructions. Each becomes a task of its own.' }),
  }),
);

const item = {
  index: z.int().min(0).meta({ description: 'Its place in `manual_prompts`, from 0.' }),
  task_id: z.uuid(),
  status_url: z.string().meta({ description: 'Its own status, with its prompt: a task like any other.' }),
};

/** The answer to a start. */
export const StartedBatch = named(
  'StartedBatch',
  z.object({
    success: z.literal(true),
    batch_id: z.uuid(),
    status: z.literal('queued'),
    message: z.string(),
    status_url: z.string().meta({ description: 'Poll it once a second.' }),
    items: z.array(z.object(item)),
  }),
);

const STATUS = ['queued', 'processing', 'completed', 'failed'] as const;
const progress = z.int().min(0).max(100);
const count = z.int().min(0);

/** The state of a batch. */
export const BatchStatus = named(
  'BatchStatus',
  z.object({
    batch_id: z.uuid(),
    status: z
      .enum(STATUS)
      .meta({ description: 'Ended when all items have: `completed` where at least one is, else `failed`.' }),
    progress: progress.meta({ description: 'Percent, the mean of the items; never goes back. 100: all have ended.' }),
    message: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
    completed_at: Timestamp.optional().meta({ description: 'Of one that has ended.' }),
    counts: z
      .object({ total: count, queued: count, processing: count, completed: count, failed: count })
      .meta({ description: 'How many items are in each state.' }),
    items: z.array(
      z.object({
        ...item,
        status: z.enum(STATUS),
        progress,
        updated_at: Timestamp,
        error_code: z.enum(FAILURE_CODES).optional().meta({ description: 'Of a failed one.' }),
        generated_by_ai: z.boolean().optional().meta({ description: 'Of a completed one; false: the fallback.' }),
      }),
    ),
    stale: z.literal(true).optional().meta({ description: 'It could not be refreshed: it is as of `as_of`.' }),
    as_of: Timestamp.optional(),
  }),
);
