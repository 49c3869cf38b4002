import type { z } from 'zod';
import { statusPath } from '../../contract/names.js';
import type { ListedGeneration, ListResult } from '../../generations/types.js';
import { presentStatus } from './present-status.js';
import type { GenerationPage, GenerationRecord } from './schemas.js';

/** A page of an owner's history as clients see it. */
export const presentPage = ({
  generations,
  nextCursor,
}: Extract<ListResult, { outcome: 'listed' }>): z.infer<typeof GenerationPage> => ({
  generations: generations.map(presentRecord),
  next_cursor: nextCursor,
});

const presentRecord = ({ status, manualPrompt }: ListedGeneration): z.infer<typeof GenerationRecord> => ({
  ...presentStatus(status),
  manual_prompt: manualPrompt,
  status_url: statusPath(status.snapshot.task_id),
});
