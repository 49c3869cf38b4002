import { randomBytes } from 'node:crypto';
import { getAccount, putAccount } from './accounts.js';
import { audit } from './audit.js';
import { admit, countWaiting, forgetOldStarts, stopSharing, withdraw } from './admissions.js';
import { listActions, recordAction } from './admin-actions.js';
import { admitBatch, getBatch, withdrawBatch } from './batches.js';
import { onlyRow, type Database } from './database.js';
import { endGeneration, endQueued, type StoredEnding } from './end-generation.js';
import { grant, listEntries } from './entries.js';
import { createErasures } from './erasures.js';
import { beginGeneration, getGeneration, getStarted } from './generations.js';
import { listGenerations } from './list-generations.js';
import { hold } from './holds.js';
import { listOverdue, releaseExpiredHolds } from './overdue.js';
import { forgetOldTold, newsOf, shareTold } from './told.js';
import { getBusiness, putTemplate } from './templates.js';
import type { EndedGeneration, Ledger } from './types.js';

/** Who wants to know what happens in the ledger. */
interface LedgerObserver {
  /** Called for each end that this process stored, once it is committed; not for one that was stored before. */
  onEnd?: (createdAt: Date, end: EndedGeneration) => void;
}

const tell = ({ ended, storedNow }: StoredEnding, onEnd: LedgerObserver['onEnd']): void => {
  if (storedNow) onEnd?.(storedNow.createdAt, ended);
};

/** The ledger on a migrated database. */
export const createLedger = (db: Database, { onEnd }: LedgerObserver = {}): Ledger => ({
  putAccount: (owner, patch, by) => db.transaction((tx) => putAccount(tx, owner, patch, by)),
  getAccount: (owner) => getAccount(db, owner),
  grant: (request) => db.transaction((tx) => grant(tx, request)),
  listEntries: (owner, page) => listEntries(db, owner, page),
  putTemplate: (businessType, template, by) => db.transaction((tx) => putTemplate(tx, businessType, template, by)),
  recordAction: (action) => recordAction(db, action),
  listActions: (query) => listActions(db, query),
  admit: (start) => admit(db, start),
  withdraw: (taskId) => withdraw(db, taskId),
  countWaiting: (query) => countWaiting(db, query),
  admitBatch: (start) => admitBatch(db, start),
  withdrawBatch: (batchId) => db.transaction((tx) => withdrawBatch(tx, batchId)),
  getBatch: (batchId) => getBatch(db, batchId),
  stopSharing: (taskId) => stopSharing(db, taskId),
  getBusiness: (owner) => getBusiness(db, owner),
  forgetOldStarts: (olderThanMs) => forgetOldStarts(db, olderThanMs),
  beginGeneration: (task) => beginGeneration(db, task),
  hold: (request) => db.transaction((tx) => hold(tx, request)),
  async endGeneration(request) {
    const stored = await db.transaction((tx) => endGeneration(tx, request));
    tell(stored, onEnd);
    return stored.ended;
  },
  async endQueued(request) {
    const stored = await db.transaction((tx) => endQueued(tx, request));
    if (stored) tell(stored, onEnd);
    return stored !== null;
  },
  getGeneration: (taskId) => getGeneration(db, taskId),
  getStarted: (taskIds) => getStarted(db, taskIds),
  listGenerations: (owner, query) => listGenerations(db, owner, query),
  shareTold: (state) => shareTold(db, state),
  newsOf: (known) => newsOf(db, known),
  forgetOldTold: (olderThanMs) => forgetOldTold(db, olderThanMs),
  ...createErasures(db),
  releaseExpiredHolds: () => releaseExpiredHolds(db),
  listOverdue: (query) => listOverdue(db, query),
  audit: () => audit(db),
  async sharedKey(name) {
    await db.query('INSERT INTO shared_keys (name, key) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
      name,
      randomBytes(32).toString('base64'),
    ]);
    const { key } = onlyRow(await db.query<{ key: string }>('SELECT key FROM shared_keys WHERE name = $1', [name]));
    return Buffer.from(key, 'base64');
  },
  async ping() {
    await db.query('SELECT 1');
  },
});
