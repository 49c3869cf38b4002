import type { z } from 'zod';
import { wordsFor } from '../../contract/failures.js';
import type { Snapshot } from '../../contract/snapshot.js';
import type { RunReport } from '../../generations/inspect.js';
import type { TaskRecord } from '../../ledger/support-types.js';
import type { TaskReport } from '../../helpdesk/types.js';
import { presentAccount } from '../accounts/present.js';
import { presentAction } from '../audit/admin-action-body.js';
import type { SupportTask, SupportTaskReport } from './schemas.js';

type TaskBody = z.infer<typeof SupportTask>;
type ReportBody = z.infer<typeof SupportTaskReport>;

/** A task of the ledger as support sees it. */
export const presentTask = (record: TaskRecord): TaskBody => ({
  task_id: record.taskId,
  owner: record.owner,
  business_type: record.businessType,
  state: record.state,
  error_code: record.failure?.code ?? null,
  error: record.failure ? wordsFor(record.failure).error : null,
  reason: record.reason,
  model: record.model,
  cached_from: record.cachedFrom,
  created_at: record.createdAt.toISOString(),
  updated_at: record.updatedAt.toISOString(),
  ended_at: record.endedAt?.toISOString() ?? null,
  tokens: { held: record.held, charged: record.charged },
  characters: { manual_prompt: record.characters.manualPrompt, prompt: record.characters.prompt },
});

/** A task with all that is known of it. `runsUrl`: where the Temporal Web UI shows runs, by task id. */
export const presentReport = (report: TaskReport, runsUrl: string | undefined): ReportBody => ({
  task_id: report.taskId,
  owner: report.owner,
  state: stateOf(report.snapshot),
  progress: report.snapshot.progress,
  ...(report.staleAsOf === undefined ? {} : { as_of: report.staleAsOf }),
  summary: report.summary,
  task: report.record && presentTask(report.record),
  run: typeof report.run === 'string' ? null : presentRun(report.run),
  temporal: typeof report.run === 'string' ? report.run : 'known',
  temporal_url: runsUrl === undefined ? null : runsUrl + report.taskId,
  holds: report.holds.map(({ createdAt, expiresAt, ...hold }) => ({
    ...hold,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  })),
  account: report.account && presentAccount(report.account),
  actions: report.actions.map(presentAction),
});

/** The state of a task in support's words. */
export const stateOf = (snapshot: Snapshot): TaskBody['state'] =>
  snapshot.status === 'completed' && !snapshot.generated_by_ai ? 'fallback' : snapshot.status;

const presentRun = ({ runId, status, startedAt, closedAt, timeline, pending }: RunReport): ReportBody['run'] => ({
  run_id: runId,
  status,
  started_at: startedAt.toISOString(),
  closed_at: closedAt?.toISOString() ?? null,
  timeline: timeline.map((event) => ({ ...event, at: event.at.toISOString() })),
  pending: pending.map(({ nextAttemptAt, ...step }) => ({
    ...step,
    next_attempt_at: nextAttemptAt?.toISOString() ?? null,
  })),
});
