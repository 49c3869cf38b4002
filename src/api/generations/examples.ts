import type { z } from 'zod';
import { atStep, endedSnapshot, queuedSnapshot } from '../../contract/snapshot.js';
import { CURSOR } from './list-parameters.js';
import { presentPage } from './present-page.js';
import { presentStatus } from './present-status.js';
import type { GenerationStatus } from './schemas.js';

export const EXAMPLE_TASK_ID = '3f0c2a4e-7d1b-4c55-9a38-1f2e6b7c8d90';
export const EXAMPLE_PROMPT = 'We sell shoes. Be friendly. No refunds after 14 days.';
const ENHANCED_PROMPT = 'You are the friendly assistant of a shoe shop. ...';

const CREATED_AT = '2026-11-24T09:00:00.000Z';
const ENDED_AT = '2026-11-24T09:00:07.000Z';

const queued = queuedSnapshot({ taskId: EXAMPLE_TASK_ID, owner: 'acct_42', createdAt: CREATED_AT });
const generating = atStep(queued, 'generating', '2026-11-24T09:00:01.000Z');

const completed = endedSnapshot(generating, {
  status: 'completed',
  prompt: ENHANCED_PROMPT,
  generatedByAi: true,
  model: 'gpt-4o-mini',
  usage: { prompt_tokens: 180, completion_tokens: 420, total_tokens: 600 },
  tokensCharged: 600,
  tokensAvailable: 9400,
  endedAt: ENDED_AT,
});

const nothingCharged = { tokensCharged: 0, tokensAvailable: 250, endedAt: ENDED_AT };
const refused = endedSnapshot(queued, {
  status: 'failed',
  failure: { code: 'insufficient_tokens', required: 700, available: 250 },
  ...nothingCharged,
});
const cancelled = endedSnapshot(generating, { status: 'failed', failure: { code: 'cancelled' }, ...nothingCharged });

const shown = (snapshot: Parameters<typeof presentStatus>[0]['snapshot']): z.infer<typeof GenerationStatus> =>
  presentStatus({ outcome: 'found', snapshot });

/** Statuses as the service makes them. */
export const STATUS_EXAMPLES = {
  queued: shown(queued),
  processing: shown(generating),
  completed: shown(completed),
  refused: shown(refused),
  cancelled: shown(cancelled),
};

const later = queuedSnapshot({
  taskId: 'b7e2d1c0-5a94-4f0e-8c63-9d1f0a2b3c4d',
  owner: 'acct_42',
  createdAt: '2026-11-24T09:05:00.000Z',
});

/** A page of the history. */
export const PAGE_EXAMPLE = presentPage({
  outcome: 'listed',
  generations: [
    {
      status: { outcome: 'found', snapshot: atStep(later, 'generating', '2026-11-24T09:05:01.000Z') },
      manualPrompt: 'We repair bicycles. Always give the opening hours.',
    },
    { status: { outcome: 'found', snapshot: completed }, manualPrompt: EXAMPLE_PROMPT },
  ],
  nextCursor: CURSOR.example,
});

/** The answer of the blocking endpoint. */
export const GENERATED_EXAMPLE = {
  success: true,
  prompt: ENHANCED_PROMPT,
  generated_by_ai: true,
  message: 'Prompt generated successfully using AI',
  task_id: EXAMPLE_TASK_ID,
};
