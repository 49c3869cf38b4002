import { OWN_ACCOUNT_PATH } from '../../contract/names.js';
import { askLedger } from '../ask-ledger.js';
import type { Account, Ledger } from '../../ledger/types.js';
import { callerOf } from '../context.js';
import { ApiError } from '../api-error.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { ACCOUNT_EXAMPLE } from './examples.js';
import { OWNER } from './parameters.js';
import { presentAccount } from './present.js';
import { ACCOUNT_PATH } from './put-account.js';
import { AccountBody } from './schemas.js';

/** GET: any account, for admins. */
export function getAccount({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'get',
    path: ACCOUNT_PATH,
    access: 'admin',
    operation: operationOf('getAccount', 'Read an account', { parameters: [OWNER], errors: ['account_not_found'] }),
    async handle(ctx) {
      const owner = readParameter(ctx, OWNER);
      const account = await askLedger(ledger.getAccount(owner));
      if (!account) throw new ApiError('account_not_found');
      ctx.body = presentAccount(account);
    },
  };
}

/** GET: the caller's own account. */
export function getOwnAccount({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'get',
    path: OWN_ACCOUNT_PATH,
    access: 'owner',
    operation: operationOf('getOwnAccount', 'Read your own account', {}),
    async handle(ctx) {
      const { owner } = callerOf(ctx);
      const account = await askLedger(ledger.getAccount(owner));
      ctx.body = presentAccount(account ?? emptyAccount(owner));
    },
  };
}

/** What somebody has whom nobody gave an account yet. */
const emptyAccount = (owner: string): Account => ({
  owner,
  businessType: null,
  subscription: { status: 'none', expiresAt: null },
  tokens: { balance: 0, held: 0, available: 0 },
});

const operationOf = (id: string, summary: string, more: Pick<Operation, 'parameters' | 'errors'>): Operation => ({
  id,
  tag: 'Accounts',
  summary,
  ...more,
  answers: { 200: { description: 'The account.', schema: AccountBody, examples: { account: ACCOUNT_EXAMPLE } } },
});
