import type { Snapshot } from '../contract/snapshot.js';
import type { Generation, GenerationPage, GenerationQuery, StoredStatus } from '../ledger/types.js';
import { createTurns } from '../turns.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';
import { storedStatus } from './stored-status.js';
import type { FoundStatus, Generations, ListedGeneration } from './types.js';

/**
 * Lists what the ledger has stored. A row without an end says little: its task is asked for, as a poll would. One owner's
 * searches are made one after the other: each reads all its rows, and many at once would take all connections.
 */
export function createList(
  { ledger, log }: Pick<GenerationsDeps, 'log'> & { ledger: Pick<GenerationsDeps['ledger'], 'listGenerations'> },
  status: Generations['status'],
): Generations['list'] {
  const searches = createTurns(1);

  const read = (owner: string, query: GenerationQuery): Promise<GenerationPage | null> => {
    const list = () => ledger.listGenerations(owner, query);
    const isSearch = query.search !== undefined || query.status !== undefined;
    return isSearch ? searches.take(owner, DEADLINE_MS.list, list) : withDeadline(list(), DEADLINE_MS.list);
  };

  return async (owner, query) => {
    const page = await read(owner, query).catch((error: unknown) => {
      log.warn({ err: error }, 'the generations of an owner could not be listed in time');
      return 'unavailable' as const;
    });
    if (page === 'unavailable') return { outcome: page };
    if (!page) return { outcome: 'unknown_cursor' };
    const generations = await Promise.all(
      page.generations.map(async (row) => ({ status: await statusOf(row), manualPrompt: row.manualPrompt })),
    );
    const asAsked = ({ status: { snapshot } }: ListedGeneration) =>
      query.status === undefined || query.status === filedUnder(snapshot);
    return { outcome: 'listed', generations: generations.filter(asAsked), nextCursor: page.nextCursor };
  };

  async function statusOf(row: Generation): Promise<FoundStatus> {
    if (row.ended) return storedStatus(row);
    const result = await status(row.taskId, { kind: 'owner', owner: row.owner });
    return result.outcome === 'found' ? result : storedStatus(row);
  }
}

const filedUnder = ({ status }: Snapshot): StoredStatus => (status === 'queued' ? 'processing' : status);
