import { z } from 'zod';
import { named, Timestamp } from '../openapi/registry.js';
import { storable } from '../owner.js';

const SubscriptionStatus = z.enum(['active', 'deactivated', 'none']);

/** A kind of business, as people write it; templates match it case-insensitively. */
export const BusinessType = storable().regex(/\S/, 'must not be blank').trim().min(1).max(255);

/** What an upsert sets; what is absent stays as it is. */
export const AccountUpdate = named(
  'AccountUpdate',
  z.strictObject({
    business_type: BusinessType.nullable().optional(),
    subscription: z
      .strictObject({
        status: SubscriptionStatus,
        expires_at: Timestamp.nullable().optional().meta({ description: 'null: no end.' }),
      })
      .optional(),
  }),
);

const GRANT_MAX_TOKENS = 1e12;

/** Tokens to add to a balance. */
export const GrantRequest = named(
  'GrantRequest',
  z.strictObject({
    tokens: z.int().min(1).max(GRANT_MAX_TOKENS),
    reason: storable().min(1).max(500),
  }),
);

/** An account and what it may spend. */
export const AccountBody = named(
  'Account',
  z.object({
    owner: z.string(),
    business_type: z.string().nullable(),
    subscription: z.object({ status: SubscriptionStatus, expires_at: Timestamp.nullable() }),
    tokens: z.object({
      balance: z.int().meta({ description: 'The sum of all ledger entries.' }),
      held: z.int().meta({ description: 'Set aside for running generations.' }),
      available: z.int().meta({ description: 'balance - held' }),
    }),
  }),
);

/** One line of an account's ledger. */
export const LedgerEntry = named(
  'LedgerEntry',
  z.object({
    id: z.string(),
    type: z.enum(['grant', 'charge']),
    tokens: z.int().meta({ description: 'Positive: added; negative: spent.' }),
    balance_after: z.int(),
    reason: z.string(),
    task_id: z.string().nullable(),
    created_at: Timestamp,
  }),
);

/** A page of a ledger, newest first. */
export const LedgerPage = named(
  'LedgerPage',
  z.object({
    entries: z.array(LedgerEntry),
    next_cursor: z.string().nullable().meta({ description: 'For the older ones; null: there are none.' }),
  }),
);
