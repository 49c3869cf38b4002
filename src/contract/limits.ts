/** The user's text, in characters after trimming. */
export const MANUAL_PROMPT_MAX_CHARS = 10_000;

/** A request's body, in bytes. */
export const BODY_MAX_BYTES = 64 * 1024;

/**
 * That of a batch: a hundred of the longest texts, in letters of up to two bytes. Temporal takes 2 MiB as the input of a
 * run, which is these texts and a little more.
 */
export const BATCH_BODY_MAX_BYTES = 2_000 * 1024;

export const IDEMPOTENCY_KEY_MAX_CHARS = 255;

/** Clients stop polling after this; everything below fits into it, each limit inside the one before. */
export const CLIENT_LIMIT_MS = 120_000;

/** A workflow is ended by Temporal then, whatever broke. */
export const WORKFLOW_TIMEOUT_MS = 110_000;

/** The run of a batch sees the end of all its items, which have 110 s since its own start. */
export const BATCH_TIMEOUT_MS = WORKFLOW_TIMEOUT_MS + 10_000;

/** All attempts of the LLM call together. */
export const LLM_BUDGET_MS = 80_000;

/** One attempt of the LLM call. */
export const LLM_ATTEMPT_MS = 60_000;

/** A worker that says nothing for this long has lost its LLM call. */
export const LLM_HEARTBEAT_TIMEOUT_MS = 10_000;

/** A hold that is older counts as nothing: past the workflow's own timeout, so that no running one loses it. */
export const HOLD_TTL_MS = 150_000;

/** How often what a broken-off run left behind is looked for. */
export const RECONCILE_EVERY_MS = 60_000;

/** A run this old has ended, whatever broke; a margin is for the clocks of Temporal and of the database. */
export const OVERDUE_MS = WORKFLOW_TIMEOUT_MS + 10_000;

/** How long each start of an owner is remembered: longer than Temporal keeps the history of its run. */
export const STARTS_KEPT_MS = 7 * 24 * 60 * 60_000;

/** How long what was told of a running task is kept at most: an operator may have reset it, so that it runs longer. */
export const TOLD_KEPT_MS = 10 * WORKFLOW_TIMEOUT_MS;
