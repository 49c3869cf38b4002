import { randomBytes } from 'node:crypto';
import { getAccount, putAccount } from './accounts.js';
import { audit } from './audit.js';
import { admit, countWaiting, forgetOldStarts, stopSharing, waive, withdraw } from './admissions.js';
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
import { createTurns } from '../turns.js';
import type { EndedGeneration, Ledger } from './types.js';

/** The steps of an owner wait for each other all the same, at its account; or for its erasure. Further ones take no connection. */
const STEPS_OF_ONE = 2;
/** Less than an attempt at a step may take, in ms. */
const STEP_MS = 4_500;

/** Who wants to know what happens in the ledger. */
interface LedgerObserver {
  /** Called for each end that this process stored, once it is committed; not for one that was stored before. */
  onEnd?: (createdAt: Date, end: EndedGeneration) => void;
}

const tell = ({ ended, storedNow }: StoredEnding, onEnd: LedgerObserver['onEnd']): void => {
  if (storedNow) onEnd?.(storedNow.createdAt, ended);
};

/** The ledger on a migrated database. */
export function createLedger(db: Database, { onEnd }: LedgerObserver = {}): Ledger {
  const turns = createTurns(STEPS_OF_ONE);
  const inTurn = <T>({ owner }: { owner: string }, step: () => Promise<T>): Promise<T> =>
    turns.take(owner, STEP_MS, step);
  return {
    putAccount: (owner, patch, by) => db.transaction((tx) => putAccount(tx, owner, patch, by)),
    getAccount: (owner) => getAccount(db, owner),
    grant: (request) => db.transaction((tx) => grant(tx, request)),
    listEntries: (owner, page) => listEntries(db, owner, page),
    putTemplate: (businessType, template, by) => db.transaction((tx) => putTemplate(tx, businessType, template, by)),
    recordAction: (action) => recordAction(db, action),
    listActions: (query) => listActions(db, query),
    admit: (start) => admit(db, start),
    withdraw: (taskId) => withdraw(db, taskId),
    waive: (starts) => waive(db, starts),
    countWaiting: (query) => countWaiting(db, query),
    admitBatch: (start) => admitBatch(db, start),
    withdrawBatch: (batchId) => db.transaction((tx) => withdrawBatch(tx, batchId)),
    getBatch: (batchId) => getBatch(db, batchId),
    stopSharing: (taskId) => stopSharing(db, taskId),
    getBusiness: (owner) => getBusiness(db, owner),
    forgetOldStarts: (olderThanMs) => forgetOldStarts(db, olderThanMs),
    beginGeneration: (task) => inTurn(task, () => beginGeneration(db, task)),
    hold: (request) => inTurn(request, () => db.transaction((tx) => hold(tx, request))),
    endGeneration(request) {
      return inTurn(request, async () => {
        const stored = await db.transaction((tx) => endGeneration(tx, request));
        // Also where the caller has given up waiting.
        tell(stored, onEnd);
        return stored.ended;
      });
    },
    endQueued(request) {
      return inTurn(request, async () => {
        const stored = await db.transaction((tx) => endQueued(tx, request));
        if (stored) tell(stored, onEnd);
        return stored !== null;
      });
    },
    getGeneration: (taskId) => getGeneration(db, taskId),
    getStarted: (taskIds) => getStarted(db, taskIds),
    listGenerations: (owner, query) => listGenerations(db, owner, query),
    shareTold: (state) => shareTold(db, state),
    newsOf: (known) => newsOf(db, known),
    forgetOldTold: (olderThanMs) => forgetOldTold(db, olderThanMs),
    ...createErasures(db),
    releaseExpiredHolds: (onOwner) => releaseExpiredHolds(db, onOwner),
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
    async now() {
      return onlyRow(await db.query<{ now: Date }>('SELECT clock_timestamp() AS now')).now;
    },
  };
}
