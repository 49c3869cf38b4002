import type { Snapshot } from '../contract/snapshot.js';
import type { Generation, StoredStatus } from '../ledger/types.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, type GenerationsDeps } from './deps.js';
import { storedStatus } from './stored-status.js';
import type { FoundStatus, Generations, ListedGeneration } from './types.js';

/** Lists what the ledger has stored. A row without an end says little: its task is asked for, as a poll would. */
export function createList(
  { ledger, log }: Pick<GenerationsDeps, 'log'> & { ledger: Pick<GenerationsDeps['ledger'], 'listGenerations'> },
  status: Generations['status'],
): Generations['list'] {
  return async (owner, query) => {
    const page = await withDeadline(ledger.listGenerations(owner, query), DEADLINE_MS.list).catch((error: unknown) => {
      log.warn({ err: error }, 'the ledger could not be asked for the generations of an owner');
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
