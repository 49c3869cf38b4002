import { askLedger } from '../ask-ledger.js';
import type { Ledger } from '../../ledger/types.js';
import { ApiError } from '../api-error.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { LEDGER_EXAMPLE } from './examples.js';
import { CURSOR, LIMIT, OWNER } from './parameters.js';
import { presentEntry } from './present.js';
import { ACCOUNT_PATH } from './put-account.js';
import { LedgerPage } from './schemas.js';

/** GET: what happened to an account's balance, newest first. */
export function listLedger({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'get',
    path: `${ACCOUNT_PATH}ledger/`,
    access: 'admin',
    operation,
    async handle(ctx) {
      const owner = readParameter(ctx, OWNER);
      const cursor = readParameter(ctx, CURSOR);
      const limit = readParameter(ctx, LIMIT);
      if (!(await askLedger(ledger.getAccount(owner)))) throw new ApiError('account_not_found');
      const page = await askLedger(ledger.listEntries(owner, { cursor, limit }));
      if (!page) throw new ApiError('invalid_request', { detail: 'cursor: not one of this ledger' });
      ctx.body = { entries: page.entries.map(presentEntry), next_cursor: page.nextCursor };
    },
  };
}

const operation: Operation = {
  id: 'listLedger',
  tag: 'Accounts',
  summary: 'List the ledger of an account',
  parameters: [OWNER, CURSOR, LIMIT],
  answers: {
    200: {
      description: 'A page of entries, newest first.',
      schema: LedgerPage,
      examples: { page: LEDGER_EXAMPLE },
    },
  },
  errors: ['account_not_found'],
};
