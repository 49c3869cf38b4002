import { recordAction } from './admin-actions.js';
import { onlyRow, type Queryable } from './database.js';
import type { Business, By, PromptTemplate } from './types.js';

interface TemplateRow {
  key: string;
  business_type: string;
  template: string;
  version: number;
}

/** Adds a version, unless the newest one says the same. */
export async function putTemplate(
  tx: Queryable,
  businessType: string,
  template: string,
  by: By,
): Promise<PromptTemplate> {
  // Two writers of the same business type take their versions one after the other.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`template:${businessType.toLowerCase()}`]);
  const [newest] = await tx.query<TemplateRow>(
    'SELECT key, business_type, template, version FROM prompt_templates WHERE key = lower($1) ORDER BY version DESC LIMIT 1',
    [businessType],
  );
  if (newest?.template === template) return templateOf(newest);
  const rows = await tx.query<TemplateRow>(
    `INSERT INTO prompt_templates (key, version, business_type, template) VALUES (lower($1), $2, $1, $3)
     RETURNING key, business_type, template, version`,
    [businessType, (newest?.version ?? 0) + 1, template],
  );
  const added = onlyRow(rows);
  const details = { version: added.version, characters: Array.from(template).length };
  await recordAction(tx, { by, action: 'put_template', target: added.key, details });
  return templateOf(added);
}

interface BusinessRow {
  business_type: string | null;
  template: string | null;
  version: number | null;
  has_subscription: boolean;
}

/** See `Ledger.getBusiness`. */
export async function getBusiness(db: Queryable, owner: string): Promise<Business | null> {
  const [row] = await db.query<BusinessRow>(
    `SELECT a.business_type, newest.template, newest.version,
       a.subscription_status = 'active' AND coalesce(a.subscription_expires_at > now(), true) AS has_subscription
     FROM accounts a LEFT JOIN LATERAL (
       SELECT t.template, t.version FROM prompt_templates t WHERE t.key = lower(a.business_type)
       ORDER BY t.version DESC LIMIT 1
     ) newest ON true
     WHERE a.owner = $1`,
    [owner],
  );
  if (!row) return null;
  const { business_type: businessType, template: text, version, has_subscription: hasSubscription } = row;
  return { businessType, template: text === null || version === null ? null : { text, version }, hasSubscription };
}

const templateOf = ({ business_type, template, version }: TemplateRow): PromptTemplate => ({
  businessType: business_type,
  template,
  version,
});
