import { queuedSnapshot } from '../../../src/contract/snapshot.js';
import type { CancelResult } from '../../../src/generations/types.js';
import type { TaskPage, TaskRecord } from '../../../src/ledger/support-types.js';
import type { By } from '../../../src/ledger/types.js';
import type { Finding } from '../../../src/helpdesk/doctor.js';
import type { RetryRequest, RetryResult } from '../../../src/helpdesk/retry-types.js';
import type { RevealResult, ShowResult, Support, TaskFilter, TaskReport } from '../../../src/helpdesk/types.js';

export const TASK = '3f0c2a4e-7d1b-4c55-9a38-1f2e6b7c8d90';

const at = new Date('2026-11-24T09:00:00Z');

export const RECORD: TaskRecord = {
  taskId: TASK,
  owner: 'acct_42',
  businessType: null,
  state: 'failed',
  failure: { code: 'internal' },
  reason: 'finalize: timed out (SCHEDULE_TO_CLOSE)',
  model: null,
  cachedFrom: null,
  createdAt: at,
  updatedAt: at,
  endedAt: at,
  charged: 0,
  held: 0,
  characters: { manualPrompt: 8, prompt: null },
};

export const REPORT: TaskReport = {
  taskId: TASK,
  owner: 'acct_42',
  record: RECORD,
  snapshot: queuedSnapshot({ taskId: TASK, owner: 'acct_42', createdAt: at.toISOString() }),
  run: {
    runId: 'run-1',
    status: 'RUNNING',
    startedAt: at,
    closedAt: null,
    timeline: [{ at, event: 'step_failed', step: 'generateWithAI', attempt: 2, why: 'The model answered 503' }],
    pending: [{ step: 'generateWithAI', attempt: 3, nextAttemptAt: at, why: 'The model answered 503' }],
  },
  holds: [{ tokens: 3_000, createdAt: at, expiresAt: at, state: 'open', charged: 0 }],
  account: null,
  actions: [],
  summary: ['It is at 0 %.'],
};

/** Support of one task, `TASK`. */
export class FakeSupport implements Support {
  /** Set: the database is away, and this is what the driver says. */
  outage: Error | undefined;
  /** Temporal is. */
  temporalAway = false;
  readonly filters: TaskFilter[] = [];
  readonly retries: RetryRequest[] = [];
  /** What was done, to which task, why and by whom. */
  readonly done: [string, string, string, By][] = [];

  findings: Finding[] = [{ part: 'database', ok: true, detail: 'PostgreSQL 17.2' }];

  examine(): Promise<Finding[]> {
    return Promise.resolve(this.findings);
  }

  async find(filter: TaskFilter): Promise<TaskPage | null> {
    await this.#database();
    this.filters.push(filter);
    return filter.cursor === 'nonsense' ? null : { tasks: [RECORD], nextCursor: 'next' };
  }

  async show(taskId: string): Promise<ShowResult> {
    await this.#database();
    if (taskId !== TASK) return { outcome: 'not_found' };
    return this.temporalAway ? { outcome: 'unavailable' } : { outcome: 'found', task: REPORT };
  }

  async reveal(taskId: string, reason: string, by: By): Promise<RevealResult> {
    await this.#database();
    if (taskId !== TASK) return { outcome: 'not_found' };
    this.done.push(['reveal', taskId, reason, by]);
    return { outcome: 'revealed', texts: { manualPrompt: 'zanzibar', prompt: null } };
  }

  async cancel(taskId: string, reason: string, by: By): Promise<CancelResult> {
    await this.#database();
    if (taskId !== TASK) return { outcome: 'not_found' };
    if (this.temporalAway) return { outcome: 'unavailable' };
    const before = this.done.some(([what]) => what === 'cancel');
    this.done.push(['cancel', taskId, reason, by]);
    const status = { outcome: 'found' as const, snapshot: REPORT.snapshot };
    return { outcome: before ? 'nothing_to_do' : 'requested', status };
  }

  async exportHistory(taskId: string, reason: string, by: By): ReturnType<Support['exportHistory']> {
    await this.#database();
    if (taskId !== TASK) return { outcome: 'forgotten' };
    if (this.temporalAway) return { outcome: 'unavailable' };
    this.done.push(['history', taskId, reason, by]);
    return { outcome: 'exported', history: { events: [{ eventId: '1' }] } };
  }

  async retry(taskId: string, request: RetryRequest, by: By): Promise<RetryResult> {
    await this.#database();
    if (taskId !== TASK) return { outcome: 'not_found' };
    if (this.temporalAway) return { outcome: 'unavailable' };
    const { as, from, charge, reason, dryRun } = request;
    this.retries.push(request);
    if (charge === 'customer' && from === 'failed_step')
      return { outcome: 'not_retryable', why: 'No step of it failed.' };
    if (!dryRun) this.done.push(['retry', taskId, reason, by]);
    const plan = {
      taskId: as === 'new' ? null : TASK,
      from,
      step: from === 'failed_step' ? 'finalize' : null,
      asksModel: from === 'start',
      charge,
      mayCharge: charge === 'none' ? 0 : 3_242,
      mayCost: 3_242,
      available: 9_000,
    };
    return { outcome: dryRun ? 'planned' : 'retrying', plan };
  }

  #database(): Promise<void> {
    return this.outage ? Promise.reject(this.outage) : Promise.resolve();
  }
}
