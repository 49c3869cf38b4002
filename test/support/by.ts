import type { By } from '../../src/ledger/types.js';

/** Who administers the accounts of tests that are about something else. */
export const BY: By = { actor: 'test', requestId: null };
