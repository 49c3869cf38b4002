/** Which run of a task ended it: a run ends once, whoever says so first. */
export const endedRun = {
  version: 8,
  name: 'ended-run',
  sql: `
-- Null: not known, as of ends from before this migration.
ALTER TABLE generations ADD COLUMN ended_run text;
`,
} as const;
