import { createSupport, type SupportDeps } from '../helpdesk/create-support.js';
import type { Support } from '../helpdesk/types.js';

/** Support over simulated tasks. There is no Temporal, as if it had forgotten every run; nothing runs again. */
export const createSimulatedSupport = (
  deps: Pick<SupportDeps, 'ledger' | 'records' | 'generations' | 'costs' | 'log'>,
): Support =>
  createSupport({
    ...deps,
    inspect: () => Promise.resolve({ outcome: 'forgotten' }),
    exportHistory: () => Promise.resolve({ outcome: 'forgotten' }),
    retries: {
      basis: () => Promise.resolve({ outcome: 'forgotten' }),
      startAgain: () => Promise.resolve({ outcome: 'unavailable' }),
      resetTo: () => Promise.resolve({ outcome: 'unavailable' }),
    },
  });
