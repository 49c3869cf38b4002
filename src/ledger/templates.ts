import { recordAction } from './admin-actions.js';
import { onlyRow, type Queryable } from './database.js';
import type { By, PromptTemplate } from './types.js';

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

const templateOf = ({ business_type, template, version }: TemplateRow): PromptTemplate => ({
  businessType: business_type,
  template,
  version,
});
