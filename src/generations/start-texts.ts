import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { LAST_LINE } from '../contract/markdown.js';

/** What the Web UI shows of a summary. */
const SUMMARY_MAX_BYTES = 200;
/** " (100 of 100)". */
const PLACE_BYTES = 13;

/** A text cut to that many bytes of UTF-8, with "…" at a cut. */
function clip(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const left = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength('…'));
  // A character that was cut in two is left out.
  return `${new TextDecoder().decode(left, { stream: true })}…`;
}

/** A run in one line: what it does, and for whom. */
export const summaryFor = (owner: string): string => clip(`Generate a system prompt for ${owner}`, SUMMARY_MAX_BYTES);

/** What every item of a batch does, in one line, with room for its place. */
export const itemSummaryFor = (owner: string): string =>
  clip(`Generate a system prompt for ${owner}`, SUMMARY_MAX_BYTES - PLACE_BYTES);

/** The run of a batch in one line. */
export const batchSummaryFor = (owner: string, items: number): string =>
  clip(`Generate ${items} system prompts for ${owner}`, SUMMARY_MAX_BYTES);

/** What an operator should know of any run, as Markdown; what is true of this one now are its current details. */
export function detailsFor({ keyed, requestId }: { keyed: boolean; requestId: string }): string {
  const id = keyed
    ? "The workflow id is the task's id: a hash of the owner and their `Idempotency-Key`, so that a repeated request is this task"
    : "The workflow id is the task's id, as clients know it";
  const lines = [
    `${id}.`,
    '',
    `1. \`initialize\` reads the account and the template of its business type.`,
    `2. \`checkTokens\` checks the subscription and sets aside what the call may cost at most.`,
    `3. \`generateWithAI\` asks the model. Where it can't be used, the owner gets the template and their own text, free of charge.`,
    `4. \`finalize\` charges what was used, releases the rest and stores the result. It counts once, however often it runs.`,
    '',
    `In the logs it is \`request_id\` ${requestId}.`,
    '',
    `It ends within ${WORKFLOW_TIMEOUT_MS / 1_000} s. To cancel or terminate it charges nothing; a reset charges at most once.`,
  ];
  return lines.join('\n') + LAST_LINE;
}
