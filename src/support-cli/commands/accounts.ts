import { z } from 'zod';
import type { AccountBody, LedgerPage } from '../../api/accounts/schemas.js';
import { command, Owner } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { facts, harmless, table } from '../table.js';

type Account = z.infer<typeof AccountBody>;
type Entries = z.infer<typeof LedgerPage>['entries'];

export const accountPath = (owner: string): string => `/api/v1/admin/accounts/${encodeURIComponent(owner)}/`;

/** `accounts`: what an owner has and, with `--ledger`, where it came from and went. Needs the scope admin. */
export const accounts = command({
  name: 'accounts',
  positionals: ['owner'],
  summary: 'Show an account (scope admin)',
  options: { ledger: { type: 'boolean', help: 'also its newest 50 entries' } },
  schema: z.strictObject({ owner: Owner, ledger: z.boolean().default(false) }),
  async run({ owner, ledger }, { api, answer }) {
    const account = (await api().get(accountPath(owner))) as Account;
    const page = ledger ? ((await api().get(`${accountPath(owner)}ledger/`)) as z.infer<typeof LedgerPage>) : null;
    answer(page ? { ...account, entries: page.entries } : account, () =>
      [accountText(account), ...(page ? ['', entriesText(page.entries)] : [])].join('\n'),
    );
    return EXIT.done;
  },
});

const accountText = ({ owner, business_type, subscription, tokens }: Account): string =>
  facts([
    ['owner', harmless(owner)],
    ['business type', harmless(business_type ?? 'none')],
    [
      'subscription',
      `${subscription.status}${subscription.expires_at === null ? '' : ` until ${subscription.expires_at}`}`,
    ],
    ['tokens', `${tokens.available} available (${tokens.balance} less ${tokens.held} held)`],
  ]);

const entriesText = (entries: Entries): string =>
  table(
    ['at', 'type', 'tokens', 'balance', 'task', 'reason'],
    entries.map(({ created_at, type, tokens, balance_after, task_id, reason }) => [
      created_at,
      type,
      String(tokens),
      String(balance_after),
      task_id ?? '',
      harmless(reason),
    ]),
  );
