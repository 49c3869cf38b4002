/** Equal work once: results that serve an equal request, and tasks that an equal request joins. */
export const reuse = {
  version: 12,
  name: 'reuse',
  sql: `
-- What the model was asked, as a digest (src/llm/work-key.ts); null: not for reuse. Of the run whose prompt it has.
ALTER TABLE generations ADD COLUMN work_key text;
-- The task whose prompt this one was given, so that no model was asked.
ALTER TABLE generations ADD COLUMN cached_from text;
CREATE INDEX generations_by_work ON generations (owner, work_key) WHERE work_key IS NOT NULL;

-- What the model is about to be asked; null: nobody joins it.
ALTER TABLE starts ADD COLUMN work_key text;
-- This start began no task of its own: its Idempotency-Key stands for that one.
ALTER TABLE starts ADD COLUMN joined text;
-- Somebody has joined its task.
ALTER TABLE starts ADD COLUMN shared boolean NOT NULL DEFAULT false;

-- As admit_start, for a start that takes the result of equal work (cached: its row is stored as it ends), or the task that
-- is at that work (joined), rather than beginning it anew. The owner's lock is the one of admit_start, taken before
-- anything is read: of equal starts at the same time one begins and the others join it.
CREATE FUNCTION admit_or_reuse(
  the_owner text, the_task text, window_ms bigint, per_window bigint, task_ms bigint, at_once bigint,
  the_work text, the_text text, is_keyed boolean,
  OUT admitted boolean, OUT taken boolean, OUT started bigint, OUT running bigint, OUT frees_in_ms bigint,
  OUT erased boolean, OUT reuse text, OUT reused_task text
) LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz;
  before starts%ROWTYPE;
  source generations%ROWTYPE;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('starts:' || the_owner, 0));
  moment := clock_timestamp();
  SELECT * INTO before FROM starts s WHERE s.task_id = the_task;
  IF before.joined IS NOT NULL AND before.work_key = the_work THEN
    reuse := 'joined';
    reused_task := before.joined;
  -- An id that is known is of a repeated request: what it began goes on.
  ELSIF before.task_id IS NULL AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.task_id = the_task)
    AND NOT EXISTS (SELECT 1 FROM erased_tasks e WHERE e.task_id = the_task) THEN
    SELECT * INTO source FROM generations g
      WHERE g.owner = the_owner AND g.work_key = the_work AND g.status = 'completed' AND g.generated_by_ai
      ORDER BY g.ended_at DESC LIMIT 1;
    IF source.task_id IS NOT NULL THEN
      reuse := 'cached';
      reused_task := source.task_id;
    ELSE
      -- Locked, as it may be withdrawn meanwhile: then it is seen to be.
      SELECT s.task_id INTO reused_task FROM starts s LEFT JOIN generations g ON g.task_id = s.task_id
        WHERE s.owner = the_owner AND s.counted AND s.joined IS NULL AND s.work_key = the_work
          AND s.started_at > moment - task_ms * interval '1 millisecond' AND g.ended_at IS NULL
        ORDER BY s.started_at LIMIT 1 FOR UPDATE OF s;
      IF reused_task IS NOT NULL THEN
        reuse := 'joined';
      END IF;
    END IF;
  END IF;

  -- One that joins takes no place at all, one that is served none among those that run.
  SELECT a.* INTO admitted, taken, started, running, frees_in_ms, erased FROM admit_start(
    the_owner, the_task, window_ms, CASE WHEN reuse = 'joined' THEN 0 ELSE per_window END, task_ms,
    CASE reuse WHEN 'joined' THEN 0 WHEN 'cached' THEN 9223372036854775807 ELSE at_once END) a;

  IF reuse = 'joined' THEN
    taken := before.task_id IS NULL;
    UPDATE starts SET shared = true WHERE task_id = reused_task AND NOT shared;
    IF taken AND is_keyed THEN
      INSERT INTO starts (task_id, owner, started_at, counted, work_key, joined)
        VALUES (the_task, the_owner, moment, false, the_work, reused_task);
    END IF;
  ELSIF reuse = 'cached' AND NOT taken THEN
    reuse := NULL;
  ELSIF reuse = 'cached' THEN
    running := running - 1;
    INSERT INTO generations (task_id, owner, manual_prompt, business_type, template_version, status, prompt, generated_by_ai,
        model, usage, tokens_charged, tokens_available, created_at, updated_at, ended_at, cached_from)
      SELECT the_task, the_owner, the_text, source.business_type, source.template_version, 'completed', source.prompt, true,
        source.model, '{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}', 0,
        (SELECT a.balance FROM accounts a WHERE a.owner = the_owner)
          - (SELECT coalesce(sum(h.tokens), 0) FROM open_holds h WHERE h.owner = the_owner AND h.expires_at > moment),
        moment, moment, moment, source.task_id;
    -- As each end is told (src/ledger/channels.ts).
    PERFORM pg_notify('generation_ended', the_task);
  ELSIF taken THEN
    UPDATE starts SET work_key = the_work WHERE task_id = the_task AND joined IS NULL;
  END IF;
END $$;
`,
} as const;
