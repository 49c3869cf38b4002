import type { Action } from '../contract/failures.js';
import { LLM_BUDGET_MS, WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { code, LAST_LINE } from '../contract/markdown.js';
import { batchStatusPath, statusPath } from '../contract/names.js';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import type { CompletedSnapshot, FailedSnapshot, RunningSnapshot, Snapshot } from '../contract/snapshot.js';
import type { Step } from '../contract/steps.js';

/** What the details are made of. */
export interface DetailsOf {
  snapshot: Snapshot;
  step: Step;
  businessType?: string;
  /** The namespace whose list knows runs by their owner; absent: it can't be asked for them. */
  listedIn?: string;
}

/**
 * A run in the words of an operator, as Markdown: where it is, what it waits for, what comes next and what there is to
 * do. Far below the 20 KB that Temporal shows; never a text of the user or the model.
 */
export function currentDetails(of: DetailsOf): string {
  return [...stateOf(of), ...identityOf(of)].join('\n') + LAST_LINE;
}

/** How many items of a batch have ended, and how. */
export interface BatchTally {
  total: number;
  completed: number;
  failed: number;
}

/** The run of a batch in the words of an operator. */
export function batchDetails(batchId: string, { total, completed, failed }: BatchTally): string {
  const left = total - completed - failed;
  return (
    [
      `### ${left === 0 ? 'Ended' : `${left} of ${total} items go on`}`,
      `- **Completed:** ${completed}, **failed:** ${failed}. Each item is a run of its own, listed below as a child`,
      '- **To do:** nothing. To cancel or terminate it cancels its items, and nothing is charged for those',
      `- **Batch:** clients read it at ${code(batchStatusPath(batchId))}`,
    ].join('\n') + LAST_LINE
  );
}

function stateOf({ snapshot, step }: DetailsOf): string[] {
  switch (snapshot.status) {
    case 'queued':
    case 'processing':
      return running(snapshot, step);
    case 'completed':
      return completed(snapshot);
    case 'failed':
      return failed(snapshot);
  }
}

const seconds = (ms: number): string => `${ms / 1_000} s`;

interface StepWords {
  title: string;
  waitsFor: string;
  next: string;
}

const AFTER_THE_MODEL = `the tokens are settled and the prompt is stored. Where the model can't be used within ${seconds(LLM_BUDGET_MS)}, the owner gets the fallback, free of charge`;

const WORDS: Record<Step, StepWords> = {
  queued: { title: 'Queued', waitsFor: 'a worker', next: 'the account is read' },
  initializing: {
    title: 'Step 1 of 4: reading the account',
    waitsFor: 'the database',
    next: 'the subscription is checked, and tokens are set aside',
  },
  checkingTokens: {
    title: 'Step 2 of 4: checking the subscription, setting tokens aside',
    waitsFor: 'the database',
    next: 'the model is asked',
  },
  generating: {
    title: 'Step 3 of 4: asking the model',
    waitsFor: "the first text of the model's answer",
    next: AFTER_THE_MODEL,
  },
  responding: {
    title: 'Step 3 of 4: the model answers',
    waitsFor: "the rest of the model's answer",
    next: AFTER_THE_MODEL,
  },
  finalizing: {
    title: 'Step 4 of 4: settling the tokens, storing the result',
    waitsFor: 'the database',
    next: 'the task ends',
  },
};

function running({ detail }: RunningSnapshot, step: Step): string[] {
  const { title, waitsFor, next } = WORDS[step];
  const attempt = detail?.attempt === undefined || detail.attempt === 1 ? '' : `, attempt ${detail.attempt}`;
  const at = detail?.next_attempt_at === undefined ? '' : ` at ${detail.next_attempt_at}`;
  return [
    `### ${title}`,
    `- **Waits for:** ${waitsFor}${attempt}${at}`,
    `- **Then:** ${next}`,
    `- **To do:** nothing. It ends by itself, ${seconds(WORKFLOW_TIMEOUT_MS)} after its start at the latest. Cancel it, and nothing is charged`,
  ];
}

function completed({ generated_by_ai, tokens, model }: CompletedSnapshot): string[] {
  if (generated_by_ai) {
    return [
      '### Completed: the AI wrote the prompt',
      `- **Charged:** ${tokens.charged} tokens, for ${code(model)}`,
      '- **To do:** nothing',
    ];
  }
  return [
    '### Completed without the AI: the owner got the fallback',
    '- **Charged:** nothing',
    '- **Why:** the failure of the activity `generateWithAI` in the history',
    '- **To do:** mend what it names; the owner may start anew',
  ];
}

const TO_DO: Record<Action, string> = {
  buy_tokens: 'the owner buys tokens, or an admin grants some; then the owner starts anew',
  renew_subscription: 'the owner renews the subscription, or an admin sets it; then the owner starts anew',
  contact_support: 'an admin sets the subscription to active, if the owner may go on; then the owner starts anew',
  retry: 'the owner may start anew',
};

function failed({ error, error_code, action }: FailedSnapshot): string[] {
  const why = '- **Why:** the last failed activity in the history';
  return [
    `### Failed: ${code(error_code)}`,
    `- **The owner reads:** ${error}`,
    '- **Charged:** nothing',
    ...(error_code === 'internal' ? [why] : []),
    `- **To do:** ${TO_DO[action]}`,
  ];
}

function identityOf({ snapshot: { task_id, owner, created_at }, businessType, listedIn }: DetailsOf): string[] {
  const type = businessType === undefined ? '' : `, ${code(businessType)}`;
  const list = listedIn === undefined ? '' : ` ([all their generations](${listOf(owner, listedIn)}))`;
  return [
    `- **Owner:** ${code(owner)}${type}${list}`,
    `- **Task:** ${code(task_id)}, started at ${created_at}; clients read it at ${code(statusPath(task_id))}`,
  ];
}

/** Where the Web UI lists an owner's runs; without a slash before it, as the UI opens it in a tab of its own then. */
function listOf(owner: string, namespace: string): string {
  const query = `${SEARCH_ATTRIBUTES.owner.name}='${owner.replaceAll(/['\\]/g, '\\$&')}'`;
  return `namespaces/${inUrl(namespace)}/workflows?query=${inUrl(query)}`;
}

/** Also what would end a link in Markdown. */
const inUrl = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
