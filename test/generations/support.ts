import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { openEmbeddedDatabase } from '../../src/dev/embedded-database.js';
import type { Caller, StartResult } from '../../src/generations/types.js';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { migrate } from '../../src/ledger/migrate.js';
import type { Ledger } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';

export const quiet = pino({ level: 'silent' });

/** No limits to speak of. */
export const UNLIMITED = { startsPerMinute: 1_000_000, runningTasks: 1_000_000 };

/** What became of a start, without what is left of the limits. */
export const bare = ({ quota: _, ...result }: StartResult): object => result;

/** A caller by token. */
export const asOwner = (owner: string): Caller => ({ kind: 'owner', owner });

/** A real ledger for a suite. */
export function useLedger(): { ledger: Ledger; db: Database } {
  const on = {} as { ledger: Ledger; db: Database };
  before('open a database', async function () {
    this.timeout(60_000);
    on.db = await openEmbeddedDatabase();
    await migrate(on.db);
    on.ledger = createLedger(on.db);
  });
  after(() => on.db.close());
  return on;
}

/** An owner with a subscription and tokens. */
export async function richOwner(ledger: Ledger, tokens = 100_000): Promise<string> {
  const owner = randomUUID();
  await ledger.putAccount(owner, { subscription: { status: 'active' } }, BY);
  await ledger.grant({ owner, tokens, reason: 'test', key: 'first', by: BY });
  return owner;
}
