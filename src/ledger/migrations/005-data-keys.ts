/** Keys that encrypt the payloads of owners (src/encryption). */
export const dataKeys = {
  version: 5,
  name: 'data-keys',
  sql: `
CREATE TABLE data_keys (
  key_id        text PRIMARY KEY,
  -- '': the service itself, for payloads of no owner.
  owner         text NOT NULL,
  -- Base64, encrypted by a master key that is in no database.
  wrapped_key   text,
  master_key_id text,
  created_at    timestamptz NOT NULL DEFAULT now(),
  destroyed_at  timestamptz,
  -- A destroyed key is gone; its row says that it was there.
  CHECK ((destroyed_at IS NULL) = (wrapped_key IS NOT NULL)),
  CHECK ((wrapped_key IS NULL) = (master_key_id IS NULL))
);
CREATE UNIQUE INDEX live_key_of_owner ON data_keys (owner) WHERE destroyed_at IS NULL;
CREATE INDEX data_keys_of_master ON data_keys (master_key_id, key_id);
`,
} as const;
