import type { Account, Entry } from '../../ledger/types.js';
import { presentAccount, presentEntry } from './present.js';

const account: Account = {
  owner: 'acct_42',
  businessType: 'Shoe shop',
  subscription: { status: 'active', expiresAt: new Date('2027-12-31T23:59:59Z') },
  tokens: { balance: 9400, held: 0, available: 9400 },
};

const grant: Entry = {
  id: '1',
  type: 'grant',
  tokens: 10_000,
  balanceAfter: 10_000,
  reason: 'Welcome package',
  taskId: null,
  createdAt: new Date('2026-11-24T08:00:00Z'),
};

const charge: Entry = {
  id: '2',
  type: 'charge',
  tokens: -600,
  balanceAfter: 9400,
  reason: 'Prompt generation',
  taskId: '3f0c2a4e-7d1b-4c55-9a38-1f2e6b7c8d90',
  createdAt: new Date('2026-11-24T09:00:07Z'),
};

export const ACCOUNT_EXAMPLE = presentAccount(account);
export const GRANT_EXAMPLE = presentEntry(grant);
export const LEDGER_EXAMPLE = { entries: [presentEntry(charge), presentEntry(grant)], next_cursor: null };
