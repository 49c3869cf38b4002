import type { Snapshot } from '../contract/snapshot.js';
import type { ExportResult } from '../generations/export-history.js';
import type { RunReport } from '../generations/inspect.js';
import type { CancelResult, Unavailable } from '../generations/types.js';
import type { HoldRecord, TaskPage, TaskQuery, TaskRecord, TaskTexts } from '../ledger/support-types.js';
import type { Account, AdminAction, By } from '../ledger/types.js';
import type { Finding } from './doctor.js';
import type { RetryRequest, RetryResult } from './retry-types.js';

/** Everything support sees of one task unasked: no text of its owner and none of the model. */
export interface TaskReport {
  taskId: string;
  owner: string;
  /** Of the ledger; null: the task has not had its first step. */
  record: TaskRecord | null;
  /** As its owner reads it. */
  snapshot: Snapshot;
  /** Set where the snapshot could not be refreshed (RFC 3339). */
  staleAsOf?: string;
  /** The latest one; `forgotten`: Temporal keeps it no longer; `unavailable`: Temporal does not answer. */
  run: RunReport | 'forgotten' | 'unavailable';
  holds: HoldRecord[];
  /** null: the owner has no account. */
  account: Account | null;
  /** What admins and support did to it, newest first. */
  actions: AdminAction[];
  /** What happened, in sentences for the phone. */
  summary: string[];
}

export type ShowResult = { outcome: 'found'; task: TaskReport } | { outcome: 'not_found' } | Unavailable;

export type RevealResult = { outcome: 'revealed'; texts: TaskTexts } | { outcome: 'not_found' };

/** What support staff may do, over all owners. Whatever changes or reveals something is written down, with its reason. */
export interface Support {
  /** null: the cursor is none of this list. Throws where the database can't be used. */
  find(query: TaskFilter): Promise<TaskPage | null>;
  /** How every part of the service is; never throws. */
  examine(): Promise<Finding[]>;
  /** Throws where the database can't be used. */
  show(taskId: string): Promise<ShowResult>;
  /** Throws where the database can't be used. */
  reveal(taskId: string, reason: string, by: By): Promise<RevealResult>;
  /** Throws where the database can't be used: then nothing was cancelled. */
  cancel(taskId: string, reason: string, by: By): Promise<CancelResult>;
  /** What Temporal has stored of its latest run. Throws where the database can't be used. */
  exportHistory(taskId: string, reason: string, by: By): Promise<ExportResult | { outcome: 'not_found' }>;
  /** Throws where the database can't be used: then nothing runs. */
  retry(taskId: string, request: RetryRequest, by: By): Promise<RetryResult>;
}

/** A query whose text is looked for in reasons and in the words that owners read. */
export type TaskFilter = Omit<TaskQuery, 'error'> & { text?: string | undefined };
