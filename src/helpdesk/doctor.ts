import { LLM_BUDGET_MS } from '../contract/limits.js';
import { llmTaskQueueOf } from '../contract/names.js';
import type { QueueFacts, QueueLimit, TemporalFacts } from '../generations/examine-temporal.js';
import { RECENT_MINUTES } from '../ledger/examine-database.js';
import type { DatabaseFacts, SupportLedger } from '../ledger/support-types.js';
import type { Logger } from '../log.js';
import { withDeadline } from '../with-deadline.js';

/** What was found out about one part of the service. */
export interface Finding {
  part: string;
  ok: boolean;
  /** For people, without a secret or a host. */
  detail: string;
}

export interface DoctorDeps {
  records: Pick<SupportLedger, 'examine'>;
  /** Absent: there is no Temporal. */
  examineTemporal?: () => Promise<TemporalFacts>;
  log: Logger;
}

/** For the database and Temporal each, at the same time. */
const DEADLINE_MS = 5_000;
/** As far as the clocks of two machines may be apart; tokens are taken so much after their end. */
const CLOCK_MS = 5_000;
/** A task that waits so long is waited for by its owner: there are too few workers, or none that can take it. */
const BACKLOG_MS = 5_000;
/** Calls of the model wait where their number is limited; what has waited much longer has no time left and becomes a fallback. */
const LLM_BACKLOG_MS = LLM_BUDGET_MS / 2;
/** The reconciler runs each minute. */
const RECONCILED_WITHIN_MS = 180_000;

/** Examines every part; never throws. Of a part that does not answer, nothing further is said. */
export function createDoctor({ records, examineTemporal, log }: DoctorDeps): () => Promise<Finding[]> {
  const examine = async <Facts>(part: string, ask: () => Promise<Facts>, judge: (facts: Facts) => Finding[]) => {
    try {
      return judge(await withDeadline(ask(), DEADLINE_MS));
    } catch (error) {
      log.warn({ err: error, part }, 'does not answer');
      return [{ part, ok: false, detail: 'does not answer; the log of the API says why' }];
    }
  };
  return async () => {
    const [database, temporal] = await Promise.all([
      examine('database', () => records.examine(), findingsOfDatabase),
      examineTemporal ? examine('temporal', examineTemporal, findingsOfTemporal) : [],
    ]);
    return [...database, ...temporal];
  };
}

function findingsOfDatabase({ version, now, migrations, stuckTasks, leftHolds, recent }: DatabaseFacts): Finding[] {
  const { applied, known, missing } = migrations;
  const ended = `${recent.completed} completed, ${recent.fallback} fallbacks, ${recent.failed} failed by our fault`;
  return [
    { part: 'database', ok: true, detail: `PostgreSQL ${version}` },
    clockFinding('database clock', now.getTime() - Date.now()),
    {
      part: 'migrations',
      ok: missing.length === 0 && applied <= known,
      detail: missing.length > 0 ? `missing: ${missing.join(', ')}` : `${applied} applied, this code knows ${known}`,
    },
    {
      part: 'leftovers',
      ok: stuckTasks === 0 && leftHolds === 0,
      detail: `${stuckTasks} tasks without an end, ${leftHolds} expired holds that nobody released`,
    },
    {
      part: 'generations',
      ok: recent.fallback + recent.failed === 0 || recent.completed > 0,
      detail:
        `of the last ${RECENT_MINUTES} minutes: ${ended}` +
        (recent.reason === null ? '' : `; most frequent reason: ${recent.reason}`),
    },
  ];
}

function findingsOfTemporal(facts: TemporalFacts): Finding[] {
  const { version, namespace, taskQueue, workflows, activities, llmCalls, searchAttributes, reconciler } = facts;
  return [
    { part: 'temporal', ok: true, detail: `server ${version}, namespace ${namespace}` },
    workersFinding('workflow workers', taskQueue, workflows),
    workersFinding('activity workers', taskQueue, activities),
    workersFinding('model workers', llmTaskQueueOf(taskQueue), llmCalls),
    backlogFinding('backlog', [workflows, activities], BACKLOG_MS),
    backlogFinding('model backlog', [llmCalls], LLM_BACKLOG_MS, llmCalls.limit),
    {
      part: 'search attributes',
      ok: searchAttributes,
      detail: searchAttributes ? 'registered' : 'not registered: the log of a worker has the command',
    },
    reconcilerFinding(reconciler),
  ];
}

function reconcilerFinding(reconciler: TemporalFacts['reconciler']): Finding {
  const part = 'reconciler';
  if (!reconciler) return { part, ok: false, detail: 'not scheduled: a worker does that when it starts' };
  const { scheduledAt, ranAt } = reconciler;
  // A new installation's first round is still to come.
  const ok = Date.now() - (ranAt ?? scheduledAt).getTime() <= RECONCILED_WITHIN_MS;
  const detail = ranAt ? `ran last at ${ranAt.toISOString()}` : `did not run since ${scheduledAt.toISOString()}`;
  return { part, ok, detail };
}

/** How far a clock is ahead of this process', in ms. */
export const clockFinding = (part: string, aheadMs: number): Finding => ({
  part,
  ok: Math.abs(aheadMs) <= CLOCK_MS,
  detail: `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead'}`,
});

const workersFinding = (part: string, taskQueue: string, { workers }: QueueFacts): Finding => ({
  part,
  ok: workers.length > 0,
  detail: workers.length === 0 ? `none polls the task queue ${taskQueue}` : `${workers.length}: ${workers.join(', ')}`,
});

function backlogFinding(
  part: string,
  queues: QueueFacts[],
  longestMs: number,
  limit: QueueLimit | null = null,
): Finding {
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const oldestMs = Math.max(...queues.map((queue) => queue.oldestMs));
  const detail = waiting === 0 ? 'nothing waits' : `${waiting} wait, the oldest for ${Math.round(oldestMs / 1_000)} s`;
  return {
    part,
    ok: waiting === 0 || oldestMs <= longestMs,
    detail: limit ? `${detail}; at most ${limit.perSecond} a second, by ${limit.by}` : detail,
  };
}
