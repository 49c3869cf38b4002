import { z } from 'zod';
import type { Ledger } from '../../ledger/types.js';
import { CURSOR, LIMIT } from '../accounts/parameters.js';
import { ApiError } from '../api-error.js';
import { askLedger } from '../ask-ledger.js';
import { named } from '../openapi/registry.js';
import { storable } from '../owner.js';
import type { Operation, Parameter, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { AdminActionBody, presentAction } from './admin-action-body.js';

const ActionPage = named(
  'AdminActionPage',
  z.object({
    actions: z.array(AdminActionBody),
    next_cursor: z.string().nullable().meta({ description: 'For the older ones; null: there are none.' }),
  }),
);

const filter = () => storable().min(1).max(255).optional();

const TARGET = {
  in: 'query',
  name: 'target',
  description: 'Only what was done to this one.',
  schema: filter(),
  example: 'acct_42',
} satisfies Parameter;

const ACTOR = {
  in: 'query',
  name: 'actor',
  description: 'Only what this one did.',
  schema: filter(),
  example: 'support-1',
} satisfies Parameter;

/** GET: what admins did, newest first. */
export function listActions({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'get',
    path: '/api/v1/admin/actions/',
    access: 'admin',
    operation,
    async handle(ctx) {
      const cursor = readParameter(ctx, CURSOR);
      const limit = readParameter(ctx, LIMIT);
      const target = readParameter(ctx, TARGET);
      const actor = readParameter(ctx, ACTOR);
      const page = await askLedger(ledger.listActions({ cursor, limit, target, actor }));
      if (!page) throw new ApiError('invalid_request', { detail: 'cursor: not one of this list' });
      ctx.body = { actions: page.actions.map(presentAction), next_cursor: page.nextCursor };
    },
  };
}

const example = presentAction({
  id: '7',
  at: new Date('2026-11-24T08:00:00Z'),
  actor: 'support-1',
  action: 'grant_tokens',
  target: 'acct_42',
  requestId: '3f1b8a52-0c77-4c0e-9a44-6b7a3f5d2e10',
  details: { tokens: 10_000, reason: 'Welcome package', entry_id: '1', balance_after: 10_000 },
});

const operation: Operation = {
  id: 'listAdminActions',
  tag: 'Audit',
  summary: 'List what admins did',
  parameters: [CURSOR, LIMIT, TARGET, ACTOR],
  answers: {
    200: {
      description: 'A page of actions, newest first.',
      schema: ActionPage,
      examples: { page: { actions: [example], next_cursor: null } },
    },
  },
};
