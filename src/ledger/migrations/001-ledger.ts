/** Accounts, entries, holds, generations, templates. */
export const ledger = {
  version: 1,
  name: 'ledger',
  sql: `
CREATE TABLE accounts (
  owner                   text PRIMARY KEY,
  business_type           text,
  subscription_status     text NOT NULL DEFAULT 'none' CHECK (subscription_status IN ('active', 'deactivated', 'none')),
  subscription_expires_at timestamptz,
  balance                 bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
  -- The sum of the open holds, kept on this row so that taking one is a single UPDATE, guarded by these CHECKs.
  held                    bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  created_at              timestamptz NOT NULL DEFAULT now(),
  updated_at              timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT never_overspent CHECK (held <= balance)
);

CREATE TABLE entries (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner         text NOT NULL REFERENCES accounts,
  type          text NOT NULL CHECK (type IN ('grant', 'charge')),
  tokens        bigint NOT NULL CHECK ((type = 'grant' AND tokens > 0) OR (type = 'charge' AND tokens < 0)),
  balance_after bigint NOT NULL CHECK (balance_after >= 0),
  reason        text NOT NULL,
  task_id       text,
  -- 'grant:<owner>:<Idempotency-Key>' or 'charge:<task>': what happens once happens once.
  key           text NOT NULL UNIQUE,
  created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX entries_of_owner ON entries (owner, id DESC);

CREATE TABLE holds (
  hold_id    text PRIMARY KEY,
  task_id    text NOT NULL,
  owner      text NOT NULL REFERENCES accounts,
  tokens     bigint NOT NULL CHECK (tokens > 0),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX holds_of_task ON holds (task_id);

-- A hold ends once, by a row here.
CREATE TABLE hold_resolutions (
  hold_id    text PRIMARY KEY REFERENCES holds,
  resolution text NOT NULL CHECK (resolution IN ('settled', 'released', 'expired')),
  charged    bigint NOT NULL DEFAULT 0 CHECK (charged >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The holds without a resolution, so that what is held is found among the few that are open, not the many that were.
CREATE TABLE open_holds (
  hold_id    text PRIMARY KEY REFERENCES holds,
  task_id    text NOT NULL,
  owner      text NOT NULL,
  tokens     bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX open_holds_of_task ON open_holds (task_id);
CREATE INDEX open_holds_of_owner ON open_holds (owner);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON holds FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hold_resolutions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE prompt_templates (
  -- Lower case: business types are matched case-insensitively.
  key           text NOT NULL,
  version       integer NOT NULL CHECK (version > 0),
  business_type text NOT NULL,
  template      text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (key, version)
);

CREATE TABLE generations (
  task_id           text PRIMARY KEY,
  owner             text NOT NULL,
  manual_prompt     text NOT NULL,
  business_type     text,
  template_version  integer,
  status            text NOT NULL DEFAULT 'processing' CHECK (status IN ('processing', 'completed', 'failed')),
  prompt            text,
  generated_by_ai   boolean,
  model             text,
  usage             jsonb,
  -- {code, ...amounts}, so that a stored failure reads back in the same words.
  failure           jsonb,
  tokens_charged    bigint NOT NULL DEFAULT 0,
  tokens_available  bigint,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL DEFAULT now(),
  ended_at          timestamptz,
  CHECK ((status = 'processing') = (ended_at IS NULL)),
  CHECK ((status = 'completed') = (prompt IS NOT NULL)),
  CHECK ((status = 'failed') = (failure IS NOT NULL))
);
CREATE INDEX generations_of_owner ON generations (owner, created_at DESC, task_id);

-- Keys that every process on this database shares, such as the one of the task cookies.
CREATE TABLE shared_keys (
  name       text PRIMARY KEY,
  key        text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
`,
} as const;
