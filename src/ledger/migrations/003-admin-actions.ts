/** What admins did; and no append-only table can be emptied any more. */
export const adminActions = {
  version: 3,
  name: 'admin actions',
  sql: `
CREATE TABLE admin_actions (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  -- The sub of the token, or the program that did it by itself.
  actor      text NOT NULL,
  action     text NOT NULL,
  -- What it was done to: an owner, a business type, a task.
  target     text NOT NULL,
  request_id text,
  -- What was set; MUST NOT have a text of a user, a template or a model.
  details    jsonb NOT NULL
);
CREATE INDEX admin_actions_on_target ON admin_actions (target, id DESC);
CREATE INDEX admin_actions_of_actor ON admin_actions (actor, id DESC);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON admin_actions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON admin_actions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON entries EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON holds EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON hold_resolutions EXECUTE FUNCTION refuse_change();
`,
} as const;
