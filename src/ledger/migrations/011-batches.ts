/** Batches: many generations that are started together. Each item is a generation like any other. */
export const batches = {
  version: 11,
  name: 'batches',
  sql: `
CREATE TABLE batches (
  batch_id     text PRIMARY KEY,
  owner        text NOT NULL,
  -- Tells the same request from another one under the same Idempotency-Key.
  request_hash text NOT NULL,
  created_at   timestamptz NOT NULL
);
CREATE INDEX batches_of_owner ON batches (owner);

ALTER TABLE generations
  ADD COLUMN batch_id text,
  -- Of an item whose run has not begun. One that ended before is ended for good, unless support lets it run again.
  ADD COLUMN queued boolean NOT NULL DEFAULT false;
-- In the order of its items: the last byte of an item's id is its place.
CREATE INDEX generations_of_batch ON generations (batch_id, task_id) WHERE batch_id IS NOT NULL;

-- All items or none, by the counts and under the lock of admit_start. A batch that is known takes nothing.
CREATE FUNCTION admit_batch(
  the_owner text, the_batch text, the_hash text, tasks text[], prompts text[],
  window_ms bigint, per_window bigint, task_ms bigint, at_once bigint,
  OUT outcome text, OUT created timestamptz, OUT begun boolean,
  OUT started bigint, OUT running bigint, OUT frees_in_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  size bigint := cardinality(tasks);
  known batches;
  first record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('starts:' || the_owner, 0));
  SELECT * INTO known FROM batches WHERE batch_id = the_batch;
  -- The first item has a place where there is one for all; asked for none, it tells the counts.
  SELECT * INTO first FROM admit_start(the_owner, tasks[1], window_ms,
    CASE WHEN known IS NULL THEN per_window - size + 1 ELSE 0 END, task_ms, at_once - size + 1);
  started := first.started;
  running := first.running;
  frees_in_ms := first.frees_in_ms;
  begun := false;
  IF known.batch_id IS NOT NULL THEN
    outcome := CASE WHEN known.request_hash = the_hash THEN 'existing' ELSE 'key_reused' END;
    created := known.created_at;
    begun := EXISTS (SELECT 1 FROM generations WHERE batch_id = the_batch AND (ended_at IS NOT NULL OR NOT queued));
  ELSIF first.erased THEN
    outcome := 'erased';
  ELSIF NOT first.taken THEN
    outcome := CASE WHEN started + size > per_window THEN 'starts' ELSE 'running' END;
    -- When enough of the starts that count are too old to.
    SELECT window_ms - floor(extract(epoch FROM clock_timestamp() - s.started_at) * 1000) INTO frees_in_ms FROM starts s
      WHERE owner = the_owner AND counted AND s.started_at > clock_timestamp() - window_ms * interval '1 millisecond'
      ORDER BY s.started_at OFFSET greatest(0, started + size - per_window - 1) LIMIT 1;
    frees_in_ms := coalesce(frees_in_ms, 0);
  ELSE
    outcome := 'admitted';
    created := clock_timestamp();
    INSERT INTO starts (task_id, owner, started_at)
      SELECT item, the_owner, created FROM unnest(tasks[2:]) item
      ON CONFLICT (task_id) DO UPDATE SET started_at = created, counted = true;
    INSERT INTO batches VALUES (the_batch, the_owner, the_hash, created);
    INSERT INTO generations (task_id, owner, manual_prompt, created_at, batch_id, queued)
      SELECT item, the_owner, prompt, created, the_batch, true FROM unnest(tasks, prompts) AS both_of (item, prompt)
      ON CONFLICT (task_id) DO UPDATE SET batch_id = the_batch;
    started := started + size - 1;
    running := running + size - 1;
  END IF;
END $$;
`,
} as const;
