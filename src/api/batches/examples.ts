import { batchSnapshot, type ItemState } from '../../contract/batch.js';
import { itemTaskId } from '../../contract/names.js';
import { BATCH_ID } from '../generations/parameters.js';
import { presentBatch, presentStarted } from './present-batch.js';

const BATCH = { batchId: BATCH_ID.example, owner: 'acct_42', createdAt: '2026-11-24T09:00:00.000Z' };

export const BATCH_PROMPTS = ['We sell shoes. Be friendly.', 'We repair bicycles. Always give the opening hours.'];

/** The answer to a start, as the service makes it. */
export const STARTED_EXAMPLE = presentStarted(BATCH_ID.example, BATCH_PROMPTS.length);

const item = (index: number, second: number, state: Omit<ItemState, 'task_id' | 'updated_at'>): ItemState => ({
  task_id: itemTaskId(BATCH.batchId, index),
  updated_at: `2026-11-24T09:00:0${second}.000Z`,
  ...state,
});
const completed = item(0, 7, { status: 'completed', progress: 100, generated_by_ai: true });
const shown = (...items: ItemState[]) => presentBatch({ outcome: 'found', batch: batchSnapshot(BATCH, items) });

/** Statuses as the service makes them. */
export const BATCH_EXAMPLES = {
  processing: shown(completed, item(1, 1, { status: 'processing', progress: 50 })),
  completed: shown(completed, item(1, 8, { status: 'failed', progress: 100, error_code: 'insufficient_tokens' })),
};
