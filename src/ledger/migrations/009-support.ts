/** What support finds tasks by. */
export const support = {
  version: 9,
  name: 'support',
  sql: `
-- Why it has no prompt by the AI, for support. MUST NOT have a text of a user or a model.
ALTER TABLE generations ADD COLUMN reason text;
-- By an expression, which owners' lists do not use: they have an index of their own and MUST NOT be read by this one.
CREATE INDEX generations_by_time ON generations ((created_at AT TIME ZONE 'UTC') DESC, task_id);
CREATE INDEX generations_without_ai ON generations ((created_at AT TIME ZONE 'UTC') DESC, task_id)
  WHERE failure IS NOT NULL OR NOT generated_by_ai;
`,
} as const;
