import { z } from 'zod';
import { TIMELINE_EVENTS } from '../../generations/timeline.js';
import { AccountBody } from '../accounts/schemas.js';
import { AdminActionBody } from '../audit/admin-action-body.js';
import { MANUAL_PROMPT_MAX_CHARS } from '../../contract/limits.js';
import { FAILURE_CODES } from '../../contract/failures.js';
import { named, Timestamp } from '../openapi/registry.js';
import { storable } from '../owner.js';
import { Reason } from './parameters.js';

const tokens = z.int().min(0);
const State = z.enum(['queued', 'processing', 'completed', 'fallback', 'failed']);

/** A task as support sees it unasked. */
export const SupportTask = named(
  'SupportTask',
  z.object({
    task_id: z.uuid(),
    owner: z.string(),
    business_type: z.string().nullable(),
    state: State.meta({ description: '`fallback`: completed without the AI.' }),
    error_code: z.enum(FAILURE_CODES).nullable(),
    error: z.string().nullable().meta({ description: 'As the owner reads it.' }),
    reason: z.string().nullable().meta({ description: 'Why there is no prompt by the AI, for support.' }),
    model: z.string().nullable(),
    cached_from: z
      .uuid()
      .nullable()
      .meta({ description: 'The task whose prompt it was given, so that no model was asked.' }),
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Timestamp.nullable(),
    tokens: z.object({ held: tokens, charged: tokens }),
    characters: z
      .object({ manual_prompt: tokens, prompt: tokens.nullable() })
      .meta({ description: 'How long its texts are; to read them, reveal them.' }),
  }),
);

/** A page of tasks, newest first. */
export const SupportTaskPage = named(
  'SupportTaskPage',
  z.object({
    tasks: z.array(SupportTask),
    next_cursor: z.string().nullable().meta({ description: 'For the older ones; null: there are none.' }),
  }),
);

const Run = z.object({
  run_id: z.string(),
  status: z.string().meta({ description: "In Temporal's words." }),
  started_at: Timestamp,
  closed_at: Timestamp.nullable(),
  timeline: z.array(
    z.object({
      at: Timestamp,
      event: z.enum(TIMELINE_EVENTS),
      step: z.string().optional(),
      attempt: z.int().optional(),
      why: z.string().optional(),
    }),
  ),
  pending: z
    .array(
      z.object({
        step: z.string(),
        attempt: z.int(),
        next_attempt_at: Timestamp.nullable(),
        why: z.string().nullable().meta({ description: 'Of the attempt before.' }),
      }),
    )
    .meta({ description: 'What it is doing or about to try again.' }),
});

/** Everything support sees of one task. */
export const SupportTaskReport = named(
  'SupportTaskReport',
  z.object({
    task_id: z.uuid(),
    owner: z.string(),
    state: State,
    progress: z.int().min(0).max(100),
    as_of: Timestamp.optional().meta({ description: 'The state could not be refreshed: it is of then.' }),
    summary: z.array(z.string()).meta({ description: 'What happened, in sentences.' }),
    task: SupportTask.nullable().meta({ description: 'null: it has not had its first step.' }),
    run: Run.nullable().meta({ description: 'The latest one; null: see `temporal`.' }),
    temporal: z.enum(['known', 'forgotten', 'unavailable']),
    temporal_url: z.string().nullable().meta({ description: 'The run in the Temporal Web UI.' }),
    holds: z.array(
      z.object({
        tokens,
        state: z.enum(['open', 'settled', 'released', 'expired']),
        charged: tokens,
        created_at: Timestamp,
        expires_at: Timestamp,
      }),
    ),
    account: AccountBody.nullable(),
    actions: z.array(AdminActionBody).meta({ description: 'What was done to it, newest first; at most 20.' }),
  }),
);

/** What is done, and why. */
export const SupportReason = named('SupportReason', z.strictObject({ reason: Reason }));

/** The texts of a task. */
export const RevealedTexts = named(
  'RevealedTexts',
  z.object({ manual_prompt: z.string(), prompt: z.string().nullable() }),
);

const anyRetry = {
  reason: Reason,
  charge: z.enum(['customer', 'none']).meta({ description: 'Who pays for it.' }),
  dry_run: z.boolean().default(false).meta({ description: 'Only say what would be done.' }),
};

/** How a task is to run again. */
export const SupportRetryRequest = named(
  'SupportRetryRequest',
  z.discriminatedUnion('from', [
    z.strictObject({
      ...anyRetry,
      from: z.literal('start').optional().meta({ description: 'As where it is absent.' }),
      as: z.enum(['same', 'new']).default('same').meta({ description: '`new`: another task of the owner.' }),
      manual_prompt: storable()
        .regex(/\S/, 'must not be blank')
        .trim()
        .min(1)
        .max(MANUAL_PROMPT_MAX_CHARS)
        .optional()
        .meta({ description: "In place of the owner's text." }),
    }),
    z.strictObject({
      ...anyRetry,
      from: z.literal('failed_step').meta({ description: 'What was done before is not done again.' }),
      as: z.literal('same').default('same'),
    }),
  ]),
);

/** What a retry does, or would do. */
export const SupportRetry = named(
  'SupportRetry',
  z.object({
    task_id: z.uuid().nullable().meta({ description: 'The task that runs; null: a new one, in a dry run.' }),
    retrying: z.boolean().meta({ description: 'false: a dry run.' }),
    from: z.enum(['start', 'failed_step']),
    step: z.string().nullable().meta({ description: 'The one it goes on with.' }),
    asks_model: z.boolean(),
    charge: z.enum(['customer', 'none']),
    may_charge: tokens.meta({ description: 'The most that the owner pays, in tokens.' }),
    may_cost: tokens.meta({ description: "The most that it costs at the model's, in tokens." }),
    available: tokens.meta({ description: 'What the owner may spend now.' }),
  }),
);

/** The history of a run. */
export const ExportedHistory = named(
  'ExportedHistory',
  z.object({
    task_id: z.uuid(),
    history: z.object({ events: z.array(z.record(z.string(), z.unknown())) }),
  }),
);

/** What became of a cancellation. */
export const SupportCancel = named(
  'SupportCancel',
  z.object({
    task_id: z.uuid(),
    outcome: z
      .enum(['requested', 'nothing_to_do'])
      .meta({ description: '`nothing_to_do`: it had ended, or was cancelled before.' }),
    state: State.meta({ description: 'It may not show the cancellation yet.' }),
  }),
);
