import type { SearchAttributeValues } from '../contract/search-attributes.js';
import type { Logger } from '../log.js';
import { isRefused } from './temporal-outage.js';

/** So long a namespace that refused search attributes is not asked again: somebody may register them meanwhile. */
const ASK_AGAIN_MS = 60_000;

type Attributes = Partial<SearchAttributeValues>;

/**
 * Starts runs with search attributes. Where the namespace does not have them, or no longer, or has them by other types, a run
 * starts without them, and gets none later.
 */
export function createWithAttributes(log: Logger) {
  let askAgainAt = -Infinity;

  return async (workflowId: string, attributes: Attributes, start: (given: Attributes) => Promise<unknown>) => {
    const withThem = performance.now() >= askAgainAt;
    try {
      await start(withThem ? attributes : {});
    } catch (error) {
      if (!withThem || !isRefused(error)) throw error;
      log.warn({ err: error, task_id: workflowId }, 'a start with search attributes was refused: it starts without');
      await start({});
      // Only where that works it was for them.
      askAgainAt = performance.now() + ASK_AGAIN_MS;
    }
  };
}
