import { askLedger } from '../ask-ledger.js';
import type { Ledger } from '../../ledger/types.js';
import { ApiError } from '../api-error.js';
import { byOf } from '../context.js';
import { REQUIRED_IDEMPOTENCY_KEY } from '../generations/parameters.js';
import type { Operation, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { GRANT_EXAMPLE } from './examples.js';
import { OWNER } from './parameters.js';
import { presentEntry } from './present.js';
import { ACCOUNT_PATH } from './put-account.js';
import { GrantRequest, LedgerEntry } from './schemas.js';

/** POST: adds tokens to an account, once per Idempotency-Key. */
export function grantTokens({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'post',
    path: `${ACCOUNT_PATH}grants/`,
    access: 'admin',
    operation,
    async handle(ctx) {
      const owner = readParameter(ctx, OWNER);
      const key = readParameter(ctx, REQUIRED_IDEMPOTENCY_KEY);
      const { tokens, reason } = validate(GrantRequest, ctx.request.body);
      const result = await askLedger(ledger.grant({ owner, tokens, reason, key, by: byOf(ctx) }));
      switch (result.outcome) {
        case 'unknown_account':
          throw new ApiError('account_not_found');
        case 'key_reused':
          throw new ApiError('idempotency_key_reused');
        case 'replayed':
          ctx.set('Idempotent-Replayed', 'true');
          break;
        case 'granted':
      }
      ctx.status = 201;
      ctx.body = presentEntry(result.entry);
    },
  };
}

const operation: Operation = {
  id: 'grantTokens',
  tag: 'Accounts',
  summary: 'Add tokens to an account',
  parameters: [OWNER, REQUIRED_IDEMPOTENCY_KEY],
  body: { schema: GrantRequest, example: { tokens: 10_000, reason: 'Welcome package' } },
  answers: {
    201: {
      description: 'The entry in the ledger; of a repeated request the first one.',
      schema: LedgerEntry,
      headers: ['Idempotent-Replayed'],
      examples: { grant: GRANT_EXAMPLE },
    },
  },
  errors: ['invalid_request', 'account_not_found', 'idempotency_key_reused'],
};
