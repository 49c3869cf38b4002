/** For the reconciler, which looks each minute: it finds the few rows it wants without reading the others. */
export const leftovers = {
  version: 4,
  name: 'leftovers',
  sql: `
CREATE INDEX generations_without_end ON generations (created_at) WHERE ended_at IS NULL;
CREATE INDEX starts_by_age ON starts (started_at);
`,
} as const;
