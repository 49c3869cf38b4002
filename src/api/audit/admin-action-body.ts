import { z } from 'zod';
import type { AdminAction } from '../../ledger/types.js';
import { named, Timestamp } from '../openapi/registry.js';

/** A line of what admins and support did. */
export const AdminActionBody = named(
  'AdminAction',
  z.object({
    id: z.string(),
    at: Timestamp,
    actor: z.string().meta({ description: 'The `sub` of the token; or the program that did it by itself.' }),
    action: z.string().meta({
      description:
        '`put_account`, `grant_tokens`, `put_template`, `decode_payloads`, `erase_owner`, `reveal_texts`, `cancel_task`, `retry_task`, `export_history`; others may come.',
    }),
    target: z
      .string()
      .meta({ description: 'The owner of the account; the business type in lower case; the task; `temporal`.' }),
    request_id: z.string().nullable().meta({ description: 'As the log names the request.' }),
    details: z.record(z.string(), z.unknown()).meta({ description: 'What was set, never a text.' }),
  }),
);

/** An action as clients see it. */
export const presentAction = ({ requestId, ...action }: AdminAction): z.infer<typeof AdminActionBody> => ({
  ...action,
  at: action.at.toISOString(),
  request_id: requestId,
});
