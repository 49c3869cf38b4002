/** What was told last of each running task; a row goes with its task's end. */
export const told = {
  version: 6,
  name: 'told',
  sql: `
CREATE TABLE told (
  task_id  text PRIMARY KEY,
  seq      integer NOT NULL,
  -- Without any text of the owner or the model: a running task has none to show.
  snapshot jsonb NOT NULL,
  as_of    timestamptz NOT NULL
);
`,
} as const;
