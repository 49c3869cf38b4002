/** The starts of each owner, for the limits on them. */
export const starts = {
  version: 2,
  name: 'starts',
  sql: `
CREATE TABLE starts (
  task_id    text PRIMARY KEY,
  owner      text NOT NULL,
  started_at timestamptz NOT NULL,
  -- False once its place was given back; the row stays, as Temporal may know the task all the same.
  counted    boolean NOT NULL DEFAULT true
);
CREATE INDEX starts_of_owner ON starts (owner, started_at);
`,
} as const;
