import { createExamineTemporal } from '../generations/examine-temporal.js';
import { createExportHistory } from '../generations/export-history.js';
import { createInspect } from '../generations/inspect.js';
import { createRetries } from '../generations/retry.js';
import type { GenerationsDeps } from '../generations/deps.js';
import type { Database } from '../ledger/database.js';
import { createSupportLedger } from '../ledger/support-ledger.js';
import { createSupport, type SupportDeps } from './create-support.js';
import type { Support } from './types.js';

interface OpenDeps
  extends
    Pick<SupportDeps, 'ledger' | 'generations' | 'costs' | 'log'>,
    Pick<GenerationsDeps, 'client' | 'taskQueue' | 'assignKey'> {
  /** Migrated. */
  database: Database;
}

/** What support staff do, in a service with a Temporal and a database. */
export const openSupport = ({ database, client, taskQueue, assignKey, ...deps }: OpenDeps): Support => {
  const { log } = deps;
  return createSupport({
    ...deps,
    records: createSupportLedger(database),
    inspect: createInspect({ client, log }),
    exportHistory: createExportHistory({ client, log }),
    retries: createRetries({ client, log, taskQueue, assignKey }),
    examineTemporal: createExamineTemporal({ client, taskQueue }),
  });
};
