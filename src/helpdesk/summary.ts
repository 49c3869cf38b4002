import type { PendingStep } from '../generations/inspect.js';
import { isEnded } from '../contract/snapshot.js';
import type { TaskReport } from './types.js';

/** What a step does, for people who know nothing of the code. */
const STEP_WORDS: Readonly<Record<string, string>> = {
  initialize: 'read the account',
  checkTokens: 'check the subscription and set tokens aside',
  generateWithAI: 'ask the model',
  finalize: 'settle the tokens and store the result',
};

/** What happened to a task, in sentences; the first one is its state. */
export function summaryOf(report: Omit<TaskReport, 'summary'>): string[] {
  return [stateOf(report), ...whyOf(report), ...waitOf(report), moneyOf(report), ...nextOf(report)];
}

function stateOf({ record, snapshot }: Omit<TaskReport, 'summary'>): string {
  if (!isEnded(snapshot)) return `It is at ${snapshot.progress} %: ${snapshot.message}`;
  if (snapshot.status === 'failed') return `It failed: ${snapshot.error}`;
  if (!snapshot.generated_by_ai) return 'The AI could not be used: the owner got the instruction with their own text.';
  if (record?.cachedFrom)
    return `It was given the prompt of task ${record.cachedFrom}, as it asked for the same: no model was asked.`;
  return `It completed, by ${record?.model ?? snapshot.model}.`;
}

function whyOf({ record, run }: Omit<TaskReport, 'summary'>): string[] {
  if (record?.reason) return [`Why: ${record.reason}`];
  if (typeof run === 'string') return [];
  const broken = run.timeline.findLast(({ why }) => why !== undefined);
  if (!broken?.why || record?.state === 'completed') return [];
  const attempts = broken.attempt !== undefined && broken.attempt > 1 ? `, at attempt ${broken.attempt}` : '';
  return [`Why: ${broken.step === undefined ? broken.why : `${stepWords(broken.step)}${attempts}: ${broken.why}`}`];
}

function waitOf({ run }: Omit<TaskReport, 'summary'>): string[] {
  return typeof run === 'string' ? [] : run.pending.map(pendingWords);
}

function pendingWords({ step, attempt, nextAttemptAt, why }: PendingStep): string {
  const next = nextAttemptAt ? `, next try at ${nextAttemptAt.toISOString()}` : '';
  return `It is about to ${stepWords(step)}, attempt ${attempt}${next}.${why === null ? '' : ` Before: ${why}`}`;
}

const stepWords = (step: string): string => STEP_WORDS[step] ?? step;

function moneyOf({ record }: Omit<TaskReport, 'summary'>): string {
  const { charged, held } = record ?? { charged: 0, held: 0 };
  const paid = charged === 0 ? 'Nothing was charged' : `${charged} tokens were charged`;
  return held === 0 ? `${paid}.` : `${paid}; ${held} tokens are held for it now.`;
}

function nextOf({ snapshot }: Omit<TaskReport, 'summary'>): string[] {
  if (snapshot.status === 'completed' && !snapshot.generated_by_ai)
    return ['Next: when the AI is back, a retry replaces the fallback in place.'];
  if (snapshot.status !== 'failed') return [];
  switch (snapshot.action) {
    case 'buy_tokens':
      return ['Next: the owner buys tokens, or you retry it with nobody charged.'];
    case 'renew_subscription':
      return ['Next: the owner renews the subscription; then retry it.'];
    case 'contact_support':
      return ['Next: an admin activates the account; then retry it.'];
    case 'retry':
      return ['Next: retry it.'];
  }
}
