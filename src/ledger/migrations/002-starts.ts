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

-- A function, because each statement in it sees what was committed before that statement: so the counts are taken after
-- the owner's lock was got, and yet the caller pays for one round trip only. A task that has a place keeps it.
CREATE FUNCTION admit_start(
  the_owner text, the_task text, window_ms bigint, per_window bigint, task_ms bigint, at_once bigint,
  OUT admitted boolean, OUT taken boolean, OUT started bigint, OUT running bigint, OUT frees_in_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz;
  oldest timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('starts:' || the_owner, 0));
  moment := clock_timestamp();
  SELECT count(*), min(started_at) INTO started, oldest FROM starts
    WHERE owner = the_owner AND counted AND started_at > moment - window_ms * interval '1 millisecond';
  -- A task without a row in generations has not got to its first step yet.
  SELECT count(*) INTO running FROM starts s LEFT JOIN generations g ON g.task_id = s.task_id
    WHERE s.owner = the_owner AND s.counted AND s.started_at > moment - task_ms * interval '1 millisecond'
      AND g.ended_at IS NULL;
  admitted := EXISTS (SELECT 1 FROM starts WHERE task_id = the_task AND counted);
  taken := NOT admitted AND started < per_window AND running < at_once;
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
