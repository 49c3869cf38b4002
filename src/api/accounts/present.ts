import type { z } from 'zod';
import type { Account, Entry } from '../../ledger/types.js';
import type { AccountBody, LedgerEntry } from './schemas.js';

/** An account as clients see it. */
export function presentAccount({ owner, businessType, subscription, tokens }: Account): z.infer<typeof AccountBody> {
  const { status, expiresAt } = subscription;
  return {
    owner,
    business_type: businessType,
    subscription: { status, expires_at: expiresAt?.toISOString() ?? null },
    tokens: { balance: tokens.balance, held: tokens.held, available: tokens.available },
  };
}

/** A ledger entry as clients see it. */
export function presentEntry(entry: Entry): z.infer<typeof LedgerEntry> {
  return {
    id: entry.id,
    type: entry.type,
    tokens: entry.tokens,
    balance_after: entry.balanceAfter,
    reason: entry.reason,
    task_id: entry.taskId,
    created_at: entry.createdAt.toISOString(),
  };
}
