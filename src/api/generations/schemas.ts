import { z } from 'zod';
import { FAILURE_CODES } from '../../contract/failures.js';
import { MANUAL_PROMPT_MAX_CHARS } from '../../contract/limits.js';
import { named, Timestamp } from '../openapi/registry.js';

/** Whether equal work need not be done anew. */
export const Reuse = z.boolean().optional().meta({
  description:
    'true: where you had a prompt of the same text, template version and model before, you get that one, free of charge; where you wait for one, this is the same task.',
});

/** What the document says of the body; `manualPromptOf` reads it, as its errors have words of their own. */
export const GenerateRequest = named(
  'GenerateRequest',
  z.object({
    manual_prompt: z.string().meta({
      minLength: 1,
      pattern: '[^\\s\\u0000]',
      maxLength: MANUAL_PROMPT_MAX_CHARS,
      description: 'The rough instruction. White space around it does not count, nor do its U+0000.',
    }),
    reuse: Reuse,
  }),
);

const Cached = z.literal(true).optional().meta({
  description: 'With `reuse`: it has the prompt of an equal request before, at no charge.',
});
const Joined = z.literal(true).optional().meta({
  description: 'With `reuse`: it is the task that an equal request before began.',
});

/** The answer to a start. */
export const StartedGeneration = named(
  'StartedGeneration',
  z.object({
    success: z.literal(true),
    task_id: z.uuid(),
    status: z.literal('queued'),
    message: z.string(),
    status_url: z.string().meta({ description: 'Poll it once a second.' }),
    cached: Cached,
    joined: Joined,
  }),
);

const tokens = z.int().min(0);

const common = {
  task_id: z.uuid(),
  progress: z.int().min(0).max(100).meta({ description: 'Percent; never goes back.' }),
  message: z.string(),
  created_at: Timestamp,
  updated_at: Timestamp,
  stale: z.literal(true).optional().meta({ description: 'The status could not be refreshed: it is as of `as_of`.' }),
  as_of: Timestamp.optional(),
};

const RunningStatus = named(
  'RunningStatus',
  z.object({
    ...common,
    status: z.enum(['queued', 'processing']),
    detail: z
      .object({
        waiting_for: z.enum(['worker', 'llm', 'tokens']).optional(),
        attempt: z.int().min(1).optional(),
        next_attempt_at: Timestamp.optional(),
      })
      .optional()
      .meta({ description: 'Only while it waits or retries.' }),
  }),
);

const CompletedStatus = named(
  'CompletedStatus',
  z.object({
    ...common,
    status: z.literal('completed'),
    prompt: z.string(),
    generated_by_ai: z.boolean(),
    completed_at: Timestamp,
    usage: z.object({ prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens }),
    tokens: z.object({ charged: tokens, available: tokens }),
    model: z.string(),
    warning: z.string().optional().meta({ description: 'Only of a fallback, which is never charged.' }),
    cached: Cached,
  }),
);

const FailedStatus = named(
  'FailedStatus',
  z.object({
    ...common,
    status: z.literal('failed'),
    error: z.string().meta({ description: 'A sentence for the user.' }),
    error_code: z.enum(FAILURE_CODES),
    action: z.enum(['buy_tokens', 'renew_subscription', 'retry', 'contact_support']),
    completed_at: Timestamp,
    tokens: z
      .object({ required: tokens, available: tokens })
      .optional()
      .meta({ description: 'Only of too small a balance.' }),
  }),
);

/** The state of a task. */
export const GenerationStatus = named(
  'GenerationStatus',
  z.discriminatedUnion('status', [RunningStatus, CompletedStatus, FailedStatus]),
);

const record = {
  manual_prompt: z
    .string()
    .meta({ description: "The owner's text; empty where the task ended before its first step." }),
  status_url: z.string(),
};

/** A task in its owner's history: its state, and what it was asked for. */
export const GenerationRecord = named(
  'GenerationRecord',
  z.discriminatedUnion('status', [
    RunningStatus.extend(record),
    CompletedStatus.extend(record),
    FailedStatus.extend(record),
  ]),
);

/** A page of an owner's history, newest first. */
export const GenerationPage = named(
  'GenerationPage',
  z.object({
    generations: z.array(GenerationRecord),
    next_cursor: z.string().nullable().meta({ description: 'For the older ones; null: there are none.' }),
  }),
);

/** The answer of the blocking endpoint. */
export const GeneratedPrompt = named(
  'GeneratedPrompt',
  z.object({
    success: z.literal(true),
    prompt: z.string(),
    generated_by_ai: z.boolean(),
    message: z.string(),
    task_id: z.uuid(),
    warning: z.string().optional().meta({ description: 'Only of a fallback, which is never charged.' }),
    cached: Cached,
    joined: Joined,
  }),
);
