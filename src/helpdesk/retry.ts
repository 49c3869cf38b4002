import { assertNever } from '../contract/assert-never.js';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import { isEnded, type EndedSnapshot } from '../contract/snapshot.js';
import type { Retries, RetryBasis, RunAgainResult } from '../generations/retry.js';
import { keyedTaskId, newTaskId } from '../generations/task-id.js';
import type { Generations } from '../generations/types.js';
import type { SupportLedger } from '../ledger/support-types.js';
import { TaskErased } from '../ledger/task-erased.js';
import type { By, Ledger } from '../ledger/types.js';
import { mostTokens, type CostLimits } from './cost.js';
import type { RetryPlan, RetryRequest, RetryResult } from './retry-types.js';

/** What a retry needs. */
export interface RetryDeps {
  ledger: Pick<Ledger, 'getAccount'>;
  records: SupportLedger;
  generations: Pick<Generations, 'now' | 'status' | 'start' | 'forgetTask'>;
  retries: Retries;
  costs: CostLimits;
}

/** What is known of a task that may run again. */
interface Candidate {
  taskId: string;
  owner: string;
  /** The owner's own text. */
  askedFor: string;
  basis: Exclude<RetryBasis, { outcome: 'running' | 'unavailable' }>;
}

/** A reset run goes on in the time of the run it resets, until that is over: then it has a time of its own. */
const STILL_ENOUGH_MS = 20_000;
/** For the clocks of Temporal and of the database. */
const MARGIN_MS = 2_000;

const RUNS = 'It runs already.';

const REFUSALS = new Set(['buy_tokens', 'renew_subscription', 'contact_support']);

/**
 * Lets a failed or fallback task run again. In this order: who pays is decided in the ledger, together with the line of who
 * did it and why; then it runs. So whatever breaks between, nobody is charged who should not be.
 */
export function createRetry({ ledger, records, generations, retries, costs }: RetryDeps) {
  return async function retry(taskId: string, owner: string, request: RetryRequest, by: By): Promise<RetryResult> {
    // Read anew, so that a run that could not store its end is ended in the ledger now.
    generations.forgetTask(taskId);
    const status = await generations.status(taskId, { kind: 'owner', owner });
    if (status.outcome !== 'found') return status;
    const { snapshot } = status;
    if (!isEnded(snapshot)) return not('It has not ended; cancel it first.');
    if (snapshot.status === 'completed' && snapshot.generated_by_ai) return not('It has its prompt by the AI.');
    const candidate = await candidateOf(taskId, owner, snapshot);
    if ('outcome' in candidate) return candidate;
    const plan = await planOf(candidate, request);
    if ('outcome' in plan || request.dryRun) return 'outcome' in plan ? plan : { outcome: 'planned', plan };
    return carryOut(candidate, request, plan, by);
  };

  async function candidateOf(taskId: string, owner: string, ended: EndedSnapshot): Promise<Candidate | RetryResult> {
    const refused = ended.status === 'failed' && REFUSALS.has(ended.action);
    const [texts, basis] = await Promise.all([records.getTexts(taskId), retries.basis(taskId, refused)]);
    if (basis.outcome === 'unavailable') return basis;
    if (basis.outcome === 'running') return not(RUNS);
    // A task that ended before its first step has a row without its text: Temporal has it.
    const stored = texts?.manualPrompt ?? '';
    const askedFor = stored === '' && basis.outcome === 'known' ? basis.input.manualPrompt : stored;
    return askedFor === '' ? not('Nobody knows its text any more.') : { taskId, owner, askedFor, basis };
  }

  async function planOf(
    { taskId, owner, askedFor, basis }: Candidate,
    { as, from, manualPrompt = askedFor, charge }: RetryRequest,
  ): Promise<RetryPlan | RetryResult> {
    const step = from === 'failed_step' && basis.outcome === 'known' ? basis.failedStep : null;
    if (from === 'failed_step' && !step) {
      const why = basis.outcome === 'known' ? 'No step of it failed' : 'Temporal keeps its run no longer';
      return not(`${why}; retry it from the start.`);
    }
    const waitMs = step && basis.outcome === 'known' ? untilAnewMs(basis.startedAt, generations.now()) : 0;
    if (waitMs > 0)
      return not(`Retry it from the start, or in ${Math.ceil(waitMs / 1_000)} s: a reset now has too little time.`);
    const [business, account] = await Promise.all([records.getTemplateOf(owner), ledger.getAccount(owner)]);
    const available = account?.tokens.available ?? 0;
    const most = mostTokens(manualPrompt, business, costs);
    const asksModel = step?.hasAnswer !== true;
    return {
      taskId: as === 'same' ? taskId : null,
      from,
      step: step?.step ?? null,
      asksModel,
      charge,
      mayCharge: charge === 'none' ? 0 : Math.min(most, available),
      mayCost: asksModel ? most : 0,
      available,
    };
  }

  async function carryOut(
    candidate: Candidate,
    { as, manualPrompt, charge, reason, key }: RetryRequest,
    plan: RetryPlan,
    by: By,
  ): Promise<RetryResult> {
    const { taskId, owner, askedFor } = candidate;
    // No owner can send such a key. Without one, a start that can't be confirmed is cancelled: nobody could ask for it again.
    const idempotencyKey = key === undefined ? undefined : `retry\n${taskId}\n${key}`;
    const newId = idempotencyKey === undefined ? newTaskId() : keyedTaskId(owner, idempotencyKey);
    const runsAs = as === 'same' ? taskId : newId;
    const retrying: RetryResult = { outcome: 'retrying', plan: { ...plan, taskId: runsAs } };
    const isKeyed = as === 'new' && key !== undefined;
    if (isKeyed && (await records.getTask(newId))) return retrying;
    const details = { reason, from: plan.from, may_charge: plan.mayCharge, edited: manualPrompt !== undefined };
    const noted = await records.noteRetry({ taskId, runsAs, owner, charge, by, details }).catch((error: unknown) => {
      if (error instanceof TaskErased) return 'unknown' as const;
      throw error;
    });
    switch (noted) {
      case 'unknown':
        return { outcome: 'not_found' };
      case 'retrying':
        // The same request before, whose answer was lost: what it decided stands, and Temporal starts it once.
        if (isKeyed) break;
        return not('Somebody lets it run again at this moment.');
      case 'running':
        return not(RUNS);
      case 'completed':
        return not('It has its prompt by the AI.');
      case 'noted':
        break;
      default:
        return assertNever(noted);
    }
    const text = manualPrompt ?? askedFor;
    const requestId = by.requestId ?? 'retry';
    const ran =
      as === 'new'
        ? await startNew({ owner, manualPrompt: text, idempotencyKey, taskId: newId, requestId })
        : await runAgain(candidate, text, plan, requestId);
    if (ran.outcome === 'runs') {
      generations.forgetTask(runsAs);
      return retrying;
    }
    // One that can't be confirmed may run all the same: then its retry stays open until it ends.
    if (ran.outcome !== 'unavailable' && noted === 'noted') await records.withdrawRetry(runsAs);
    return ran.outcome === 'running' ? not(RUNS) : ran;
  }

  async function runAgain(
    { taskId, owner, askedFor, basis }: Candidate,
    manualPrompt: string,
    plan: RetryPlan,
    requestId: string,
  ): Promise<RunAgainResult> {
    const step = basis.outcome === 'known' ? basis.failedStep : null;
    return plan.from === 'failed_step' && step && basis.outcome === 'known'
      ? retries.resetTo({ taskId, runId: basis.runId, step })
      : retries.startAgain({ taskId, owner, manualPrompt, askedFor, requestId });
  }

  async function startNew(
    request: Parameters<Generations['start']>[0],
  ): Promise<RunAgainResult | Extract<RetryResult, { outcome: 'not_retryable' }>> {
    const started = await generations.start(request);
    switch (started.outcome) {
      case 'started':
      case 'existing':
      // Never of a start that asks for no reuse.
      case 'cached':
      case 'joined':
        return { outcome: 'runs' };
      case 'limited':
        return not('The owner has reached a limit on starts; retry it as the same task, or later.');
      case 'overloaded':
        return not('The service has too much to do; retry it later.');
      case 'key_reused':
      case 'erased':
      case 'unavailable':
        return { outcome: 'unavailable' };
    }
  }
}

/** How long until a reset of a run that began then has time enough; 0: it has now. */
function untilAnewMs(startedAt: Date, now: number): number {
  const sinceStartMs = now - startedAt.getTime();
  return sinceStartMs < STILL_ENOUGH_MS ? 0 : Math.max(0, WORKFLOW_TIMEOUT_MS + MARGIN_MS - sinceStartMs);
}

const not = (why: string) => ({ outcome: 'not_retryable' as const, why });
