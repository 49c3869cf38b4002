/** Tasks that support lets run again, and who pays for that. */
export const retries = {
  version: 10,
  name: 'retries',
  sql: `
CREATE TABLE retries (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id    text NOT NULL,
  owner      text NOT NULL,
  -- Who pays for the task from here on.
  charge     text NOT NULL CHECK (charge IN ('customer', 'none')),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- When its run ended, or was found not to have begun.
  closed_at  timestamptz,
  -- It never began, so it decides nothing.
  withdrawn  boolean NOT NULL DEFAULT false,
  CHECK (NOT withdrawn OR closed_at IS NOT NULL)
);
CREATE INDEX retries_of_task ON retries (task_id, id DESC);
-- While one goes on, nobody else changes who pays for it.
CREATE UNIQUE INDEX one_retry_at_a_time ON retries (task_id) WHERE closed_at IS NULL;

CREATE TRIGGER decided_once BEFORE UPDATE OF task_id, owner, charge, created_at OR DELETE ON retries
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON retries EXECUTE FUNCTION refuse_change();

-- The newest retry that began says who pays.
CREATE FUNCTION is_free_of_charge(the_task text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT charge = 'none' FROM retries WHERE task_id = the_task AND NOT withdrawn ORDER BY id DESC LIMIT 1), false)
$$;

-- Whatever the code does: a task that is free takes no token of its owner, and sets none aside.
CREATE FUNCTION refuse_what_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF is_free_of_charge(NEW.task_id) THEN
    RAISE EXCEPTION 'The task % is free of charge', NEW.task_id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER never_of_a_free_task BEFORE INSERT ON entries
  FOR EACH ROW WHEN (NEW.type = 'charge') EXECUTE FUNCTION refuse_what_is_free();
CREATE TRIGGER never_of_a_free_task BEFORE INSERT ON holds FOR EACH ROW EXECUTE FUNCTION refuse_what_is_free();
`,
} as const;
