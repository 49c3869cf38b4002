import { ledger } from './001-ledger.js';
import { starts } from './002-starts.js';
import { adminActions } from './003-admin-actions.js';
import { leftovers } from './004-leftovers.js';
import { dataKeys } from './005-data-keys.js';
import { told } from './006-told.js';
import { erasures } from './007-erasures.js';
import { endedRun } from './008-ended-run.js';
import { support } from './009-support.js';
import { retries } from './010-retries.js';
import { batches } from './011-batches.js';
import { reuse } from './012-reuse.js';
import { joins } from './013-joins.js';
import { joinHash } from './014-join-hash.js';
import { waived } from './015-waived.js';

export interface Migration {
  /** 1, 2, ... without a gap. */
  version: number;
  name: string;
  sql: string;
}

/** In order. One that was released is never changed: what is to be different is a new one. */
export const MIGRATIONS: readonly Migration[] = [
  ledger,
  starts,
  adminActions,
  leftovers,
  dataKeys,
  told,
  erasures,
  endedRun,
  support,
  retries,
  batches,
  reuse,
  joins,
  joinHash,
  waived,
];
