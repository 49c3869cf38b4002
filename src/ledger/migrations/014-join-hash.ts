/** A key that joined a task keeps the hash of its first request, and a start that joins none does not count among those that do. */
export const joinHash = {
  version: 14,
  name: 'join-hash',
  sql: `
-- As before, but for its IF: where reuse was NULL, as of any other start, that was NULL, too, and went on.
CREATE OR REPLACE FUNCTION admit_or_reuse(
  the_owner text, the_task text, window_ms bigint, per_window bigint, task_ms bigint, at_once bigint,
  the_work text, the_text text, is_keyed boolean, the_hash text,
  OUT admitted boolean, OUT taken boolean, OUT started bigint, OUT running bigint, OUT frees_in_ms bigint,
  OUT erased boolean, OUT reuse text, OUT reused_task text
) LANGUAGE plpgsql AS $$
DECLARE
  joined_now bigint;
BEGIN
  SELECT a.* INTO admitted, taken, started, running, frees_in_ms, erased, reuse, reused_task FROM admit_or_reuse(
    the_owner, the_task, window_ms, per_window, task_ms, at_once, the_work, the_text, is_keyed) a;
  IF reuse IS DISTINCT FROM 'joined' OR NOT taken OR NOT is_keyed THEN
    RETURN;
  END IF;
  UPDATE starts SET request_hash = the_hash WHERE task_id = the_task;
  SELECT count(*) INTO joined_now FROM starts s
    WHERE s.owner = the_owner AND s.joined IS NOT NULL AND s.started_at > clock_timestamp() - window_ms * interval '1 millisecond';
  IF joined_now > per_window THEN
    DELETE FROM starts WHERE task_id = the_task;
    admitted := false;
    taken := false;
    started := per_window;
    frees_in_ms := window_ms;
    reuse := NULL;
    reused_task := NULL;
  END IF;
END $$;
`,
} as const;
