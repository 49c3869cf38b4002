/** The erasure of an owner's data, and the tasks that must never come back. */
export const erasures = {
  version: 7,
  name: 'erasures',
  sql: `
CREATE TABLE erasures (
  id             text PRIMARY KEY,
  owner          text NOT NULL,
  requested_at   timestamptz NOT NULL DEFAULT now(),
  requested_by   text NOT NULL,
  request_id     text,
  -- When the database forgot; Temporal does later.
  erased_at      timestamptz,
  keys           bigint NOT NULL DEFAULT 0,
  generations    bigint NOT NULL DEFAULT 0,
  starts         bigint NOT NULL DEFAULT 0,
  ledger_entries bigint NOT NULL DEFAULT 0,
  finished_at    timestamptz,
  CHECK (finished_at IS NULL OR erased_at IS NOT NULL)
);
CREATE UNIQUE INDEX unfinished_erasure_of_owner ON erasures (owner) WHERE finished_at IS NULL;
CREATE INDEX erasures_of_owner ON erasures (owner, requested_at DESC);

CREATE TABLE erased_tasks (
  task_id         text PRIMARY KEY,
  erasure_id      text NOT NULL REFERENCES erasures,
  erased_at       timestamptz NOT NULL DEFAULT now(),
  -- Its start was so young that Temporal might still have had to carry it out.
  may_start_until timestamptz,
  -- Of Temporal, that were found.
  runs            bigint NOT NULL DEFAULT 0,
  -- When Temporal had none any more.
  gone_at         timestamptz
);
CREATE INDEX erased_tasks_of_erasure ON erased_tasks (erasure_id);
CREATE INDEX erased_tasks_not_gone ON erased_tasks (erasure_id, task_id) WHERE gone_at IS NULL;

-- Whatever a worker still wants to store: an erased task gets no row. The lock is the one of src/ledger/erasures.ts, so
-- that each row is either seen by the erasure or sees it; statements of a function see what was committed before them.
CREATE FUNCTION refuse_erased_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('erasure:' || NEW.owner, 0));
  -- It runs, so Temporal has it again.
  UPDATE erased_tasks SET gone_at = NULL WHERE task_id = NEW.task_id;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  -- Begun before the erasure, at a time when its start could not be written down.
  INSERT INTO erased_tasks (task_id, erasure_id)
    SELECT NEW.task_id, e.id FROM erasures e
    WHERE e.owner = NEW.owner AND e.erased_at > NEW.created_at
      AND NOT EXISTS (SELECT 1 FROM starts s WHERE s.task_id = NEW.task_id)
    ORDER BY e.erased_at DESC LIMIT 1;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER never_of_an_erased_task BEFORE INSERT ON generations FOR EACH ROW EXECUTE FUNCTION refuse_erased_task();

-- A function, because each statement in it sees what was committed before that statement: so the counts are taken after
-- the owner's lock was got, and yet the caller pays for one round trip only. A task that has a place keeps it. An erased task has none.
CREATE FUNCTION admit_start(
  the_owner text, the_task text, window_ms bigint, per_window bigint, task_ms bigint, at_once bigint,
  OUT admitted boolean, OUT taken boolean, OUT started bigint, OUT running bigint, OUT frees_in_ms bigint,
  OUT erased boolean
) LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz;
  oldest timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('starts:' || the_owner, 0));
  moment := clock_timestamp();
  SELECT count(*), min(started_at) INTO started, oldest FROM starts
    WHERE owner = the_owner AND counted AND started_at > moment - window_ms * interval '1 millisecond';
  SELECT count(*) INTO running FROM starts s LEFT JOIN generations g ON g.task_id = s.task_id
    WHERE s.owner = the_owner AND s.counted AND s.started_at > moment - task_ms * interval '1 millisecond'
      AND g.ended_at IS NULL;
  erased := EXISTS (SELECT 1 FROM erased_tasks WHERE task_id = the_task);
  admitted := EXISTS (SELECT 1 FROM starts WHERE task_id = the_task AND counted);
  taken := NOT admitted AND NOT erased AND started < per_window AND running < at_once;
  IF taken THEN
    INSERT INTO starts (task_id, owner, started_at) VALUES (the_task, the_owner, moment)
      ON CONFLICT (task_id) DO UPDATE SET started_at = moment, counted = true;
    admitted := true;
    started := started + 1;
    running := running + 1;
    oldest := coalesce(oldest, moment);
  END IF;
  frees_in_ms := coalesce(window_ms - floor(extract(epoch FROM moment - oldest) * 1000), 0);
END $$;
`,
} as const;
