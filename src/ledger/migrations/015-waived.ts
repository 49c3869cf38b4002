/** A task that its caller never heard of costs nothing; and old starts are found however many keys that joined are kept. */
export const waived = {
  version: 15,
  name: 'waived',
  sql: `
-- Nobody could say whether it began, and its caller was told that it did not: whatever it does, its owner pays nothing.
ALTER TABLE starts ADD COLUMN waived boolean NOT NULL DEFAULT false;
CREATE INDEX starts_to_forget ON starts (started_at) WHERE joined IS NULL;

-- The newest retry that began says who pays; where there was none, whether the start was waived.
CREATE OR REPLACE FUNCTION is_free_of_charge(the_task text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT charge = 'none' FROM retries WHERE task_id = the_task AND NOT withdrawn ORDER BY id DESC LIMIT 1),
    (SELECT waived FROM starts WHERE task_id = the_task),
    false)
$$;
`,
} as const;
