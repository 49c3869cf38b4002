import { askLedger } from '../ask-ledger.js';

/** Longer than the calls of Temporal and the ledger together, each of which has a deadline of its own. */
const DEADLINE_MS = 25_000;

/** The answer of support, which asks Temporal, too; 503 where the database can't be used. */
export const askSupport = <T>(answer: Promise<T>): Promise<T> => askLedger(answer, DEADLINE_MS);
