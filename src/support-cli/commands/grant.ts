import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { LedgerEntry } from '../../api/accounts/schemas.js';
import { command, Owner, Reason, REASON } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { accountPath } from './accounts.js';

/** `grant`: adds tokens to an account. Needs the scope admin. */
export const grant = command({
  name: 'grant',
  positionals: ['owner', 'tokens'],
  summary: 'Add tokens to an account (scope admin)',
  options: {
    reason: REASON,
    key: { type: 'string', value: 'KEY', help: 'the same key again grants nothing again; random where it is left out' },
  },
  schema: z.strictObject({
    owner: Owner,
    tokens: z.coerce.number('must be a whole number').int().min(1).max(1e12),
    reason: Reason,
    key: z.string().min(1).max(255).optional(),
  }),
  async run({ owner, tokens, reason, key = randomUUID() }, { api, answer, say }) {
    say(`Should this break off, run it again with --key ${key}`);
    const entry = (await api().post(
      `${accountPath(owner)}grants/`,
      { tokens, reason },
      { 'Idempotency-Key': key },
    )) as z.infer<typeof LedgerEntry>;
    answer(entry, () => `Granted ${entry.tokens} tokens; the balance was ${entry.balance_after} then.`);
    return EXIT.done;
  },
});
