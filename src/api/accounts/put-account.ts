import { askLedger } from '../ask-ledger.js';
import type { Ledger } from '../../ledger/types.js';
import { byOf } from '../context.js';
import type { Operation, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { ACCOUNT_EXAMPLE } from './examples.js';
import { OWNER } from './parameters.js';
import { presentAccount } from './present.js';
import { AccountBody, AccountUpdate } from './schemas.js';

export const ACCOUNT_PATH = '/api/v1/admin/accounts/{owner}/';

/** PUT: creates an account, or changes what the body names. */
export function putAccount({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'put',
    path: ACCOUNT_PATH,
    access: 'admin',
    operation,
    async handle(ctx) {
      const owner = readParameter(ctx, OWNER);
      const { business_type: businessType, subscription } = validate(AccountUpdate, ctx.request.body);
      const account = await askLedger(
        ledger.putAccount(
          owner,
          {
            businessType,
            subscription: subscription && { status: subscription.status, expiresAt: toDate(subscription.expires_at) },
          },
          byOf(ctx),
        ),
      );
      ctx.body = presentAccount(account);
    },
  };
}

const toDate = (time: string | null | undefined): Date | null | undefined =>
  typeof time === 'string' ? new Date(time) : time;

const operation: Operation = {
  id: 'putAccount',
  tag: 'Accounts',
  summary: 'Create or change an account',
  parameters: [OWNER],
  body: {
    schema: AccountUpdate,
    example: { business_type: 'Shoe shop', subscription: { status: 'active', expires_at: '2027-12-31T23:59:59Z' } },
  },
  answers: {
    200: { description: 'The account as it is now.', schema: AccountBody, examples: { account: ACCOUNT_EXAMPLE } },
  },
  errors: ['invalid_request'],
};
