import type { Failure, FailureCode } from '../contract/failures.js';
import type { By } from './types.js';

/** What support calls the state of a task: `fallback` is completed without the AI. */
export type TaskState = 'processing' | 'completed' | 'fallback' | 'failed';

/** A generation's row without its texts: how long they are is all that support sees unasked. Amounts are tokens. */
export interface TaskRecord {
  taskId: string;
  owner: string;
  businessType: string | null;
  state: TaskState;
  failure: Failure | null;
  /** Why there is no prompt by the AI, in words for support; null: not known, or there is one. */
  reason: string | null;
  model: string | null;
  /** The task whose prompt it was given, so that no model was asked. */
  cachedFrom: string | null;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
  /** Ever. */
  charged: number;
  /** By holds that have not expired. */
  held: number;
  /** Of the texts; of the prompt null where there is none. */
  characters: { manualPrompt: number; prompt: number | null };
}

/** Which tasks to find, of all owners; what is absent does not matter. */
export interface TaskQuery {
  /** `nextCursor` of the page before; absent: the newest ones. */
  cursor?: string | undefined;
  limit: number;
  /** Of a task, or of a batch: then its items. */
  taskId?: string | undefined;
  owner?: string | undefined;
  state?: TaskState | undefined;
  code?: FailureCode | undefined;
  /** Created at or after then. */
  from?: Date | undefined;
  /** Created before then. */
  to?: Date | undefined;
  /** In its reason, in any case, or one of these codes. MUST NOT have a U+0000. */
  error?: { text: string; codes: readonly FailureCode[] } | undefined;
}

export interface TaskPage {
  tasks: TaskRecord[];
  /** Give it back as `cursor` for the older ones; null: there are none. */
  nextCursor: string | null;
}

/** One hold of a task and what became of it. */
export interface HoldRecord {
  tokens: number;
  createdAt: Date;
  expiresAt: Date;
  /** `open` counts only until it expires. */
  state: 'open' | 'settled' | 'released' | 'expired';
  charged: number;
}

/** A task that shall run again. */
export interface NewRetry {
  taskId: string;
  /** The task that runs: the same one, or a new one in its place. */
  runsAs: string;
  owner: string;
  /** Who pays for what `runsAs` costs from here on: its owner, or nobody. */
  charge: RetryCharge;
  by: By;
  /** For the record; without any text. */
  details: Record<string, unknown>;
}

export type RetryCharge = 'customer' | 'none';

export type NoteRetryResult =
  | 'noted'
  /** It has not ended. */
  | 'running'
  /** A retry that runs as the same task was noted before, and has not ended. */
  | 'retrying'
  /** It has its prompt by the AI. */
  | 'completed'
  /** The ledger has no such task of this owner. */
  | 'unknown';

/** The texts of a task; '' where it ended before its first step, null where there is none. */
export interface TaskTexts {
  manualPrompt: string;
  prompt: string | null;
}

/** How the database is. */
export interface DatabaseFacts {
  /** Of PostgreSQL. */
  version: string;
  /** By its own clock. */
  now: Date;
  migrations: {
    applied: number;
    /** By this code. */
    known: number;
    /** Names of those that this code has and the database has not. */
    missing: string[];
  };
  /** Tasks without an end that are older than any run may be: the reconciler ends them each minute. */
  stuckTasks: number;
  /** Holds that expired two minutes ago and more: the reconciler releases them each minute. */
  leftHolds: number;
  /** How tasks of the last 15 minutes ended, `failed` by our fault, and the most frequent reason; null: none has one. */
  recent: { completed: number; fallback: number; failed: number; reason: string | null };
}

/**
 * What support reads and does in the ledger, over all owners. Every method is one transaction and throws only where the
 * database can't be used.
 */
export interface SupportLedger {
  /**
   * Newest first. Pages follow each other without a gap or a repetition, whatever is stored between them. A cursor that
   * names no task gives null.
   */
  findTasks(query: TaskQuery): Promise<TaskPage | null>;
  /** null: the ledger has no row of it. */
  getTask(taskId: string): Promise<TaskRecord | null>;
  /** Newest first. */
  listHolds(taskId: string): Promise<HoldRecord[]>;
  /** Also of a task that has only been started; null: never heard of it. */
  ownerOf(taskId: string): Promise<string | null>;
  /** Reads the texts of a task, which is an action with that reason, `reveal_texts`; null: it has no row. */
  revealTexts(taskId: string, reason: string, by: By): Promise<TaskTexts | null>;
  /** The texts, for the service itself to go on with; null: it has no row. */
  getTexts(taskId: string): Promise<TaskTexts | null>;
  /**
   * Decides that a failed or fallback task runs again and who pays, which is an action, `retry_task`. MUST come before its
   * run: from here on the ledger charges nobody for it where that was decided. Throws TaskErased.
   */
  noteRetry(retry: NewRetry): Promise<NoteRetryResult>;
  /** Takes back a retry whose run could not be started: who paid before it pays, and another one may be. */
  withdrawRetry(taskId: string): Promise<void>;
  examine(): Promise<DatabaseFacts>;
  /** What a generation of this owner builds on; see `GenerationStart`. */
  getTemplateOf(owner: string): Promise<{ businessType: string | null; template: string | null }>;
}
