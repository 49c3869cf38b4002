import type { StoredEnd } from '../contract/snapshot.js';
import type { EndedGeneration } from './types.js';

/** An ended generation with its time as text, as it travels in histories and answers. */
export const toStoredEnd = (ended: EndedGeneration): StoredEnd => ({
  ...ended,
  endedAt: ended.endedAt.toISOString(),
});
