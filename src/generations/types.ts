import type { TextSoFar } from '../feed/live-states.js';
import type { BatchSnapshot } from '../contract/batch.js';
import type { EndedSnapshot, Snapshot } from '../contract/snapshot.js';
import type { Admission, By, Erasure, GenerationQuery, StartQuota } from '../ledger/types.js';

/** Why nothing can be said or done now; the caller may try again. */
export interface Unavailable {
  outcome: 'unavailable';
}

/** `byOwner`: it has too much to do of this one owner, whose tasks wait for each other. */
export interface Overloaded {
  outcome: 'overloaded';
  byOwner: boolean;
  retryAfterMs: number;
}

/** `quota`: what is left to the owner of its limits, where that was asked for. */
export type StartResult = { quota?: StartQuota } & (
  | { outcome: 'started'; taskId: string }
  /** It has its prompt already, that of an equal request before. */
  | { outcome: 'cached'; taskId: string }
  /** That task is at equal work. */
  | { outcome: 'joined'; taskId: string }
  /** The same owner sent the same key and prompt before; and how that was answered, where it began no work. */
  | { outcome: 'existing'; taskId: string; reused?: 'cached' | 'joined' }
  /** The same owner sent the key before, with another prompt. */
  | { outcome: 'key_reused' }
  /** A limit of the owner is reached: nothing was started. */
  | Extract<Admission, { outcome: 'limited' }>
  /** The service has too much to do: nothing was started. */
  | Overloaded
  /** The key is of a task that was erased with its owner's data. */
  | { outcome: 'erased' }
  | Unavailable
);

/** Who asks: an owner sees its own tasks; the bearer of a task's cookie sees that one (`startedAt`, RFC 3339, is when it was made). */
export type Caller =
  { kind: 'owner'; owner: string } | { kind: 'task'; taskId: string; owner: string; startedAt: string };

export interface FoundStatus {
  outcome: 'found';
  snapshot: Snapshot;
  /** Set when the answer could not be refreshed: the last known state, and when it was known (RFC 3339). */
  staleAsOf?: string;
}

export type StatusResult = FoundStatus | { outcome: 'not_found' } | Unavailable;

/** A task in its owner's history. */
export interface ListedGeneration {
  status: FoundStatus;
  /** The owner's text; '' where the task ended before its first step. */
  manualPrompt: string;
}

export type ListResult =
  | { outcome: 'listed'; generations: ListedGeneration[]; nextCursor: string | null }
  /** The cursor is not one of this owner's list. */
  | { outcome: 'unknown_cursor' }
  | Unavailable;

export type CancelResult =
  /** The request to cancel was taken; the snapshot may not show it yet. */
  | { outcome: 'requested'; status: FoundStatus }
  /** It was cancelled before, or had ended. */
  | { outcome: 'nothing_to_do'; status: FoundStatus }
  | { outcome: 'not_found' }
  | Unavailable;

export interface FoundBatch {
  outcome: 'found';
  batch: BatchSnapshot;
  /** As of a task. */
  staleAsOf?: string;
}

export type BatchStatusResult = FoundBatch | { outcome: 'not_found' } | Unavailable;

export type CancelBatchResult =
  { outcome: 'requested' | 'nothing_to_do'; status: FoundBatch } | { outcome: 'not_found' } | Unavailable;

/** Many generations that are started together. Each item is a task of its own, besides. */
export interface Batches {
  /** `taskId` of the result is the batch's id. */
  start(request: {
    owner: string;
    manualPrompts: string[];
    idempotencyKey?: string | undefined;
    requestId: string;
  }): Promise<StartResult>;
  status(batchId: string, caller: Caller): Promise<BatchStatusResult>;
  /** As `Generations.subscribe`. */
  subscribe(batchId: string, onChange: () => void): () => void;
  /** Cancels the items that have not ended. */
  cancel(batchId: string, caller: Caller): Promise<CancelBatchResult>;
}

export type WaitResult =
  | { outcome: 'ended'; snapshot: EndedSnapshot }
  /** Still running when the time was over. */
  | { outcome: 'still_running' }
  | { outcome: 'not_found' }
  | Unavailable;

export type EraseResult =
  /** As far as it has come: it goes on by itself where it has not finished. */
  { outcome: 'erasing'; erasure: Erasure } | Unavailable;

/** The one door from the API to Temporal. Every call has a deadline of its own and never throws for an outage. */
export interface Generations {
  readonly batches: Batches;
  /** The time by which tasks are judged, in ms since the epoch: the same for all processes. */
  now: () => number;
  start(request: {
    owner: string;
    manualPrompt: string;
    idempotencyKey?: string | undefined;
    /** The id of the new task, where its caller has made one; without a key only. */
    taskId?: string;
    /** Whether the owner's equal work before, or going on, is as good. */
    reuse?: boolean;
    requestId: string;
  }): Promise<StartResult>;
  status(taskId: string, caller: Caller): Promise<StatusResult>;
  /**
   * Calls back whenever there may be something new to read of a task, until the result is called. Not everything is heard
   * of by every process: who waits asks by itself now and then.
   */
  subscribe(taskId: string, onChange: () => void): () => void;
  /** The model's text so far, where this process has heard all of it. MUST be shown only to whom `status` tells of the task. */
  textOf(taskId: string): TextSoFar | undefined;
  /**
   * An owner's tasks from their first step on, newest first, each as `status` tells it. A page may have fewer than
   * `limit`: one whose status is another than the asked-for by now is left out.
   */
  list(owner: string, query: GenerationQuery): Promise<ListResult>;
  cancel(taskId: string, caller: Caller): Promise<CancelResult>;
  /** Waits up to `timeoutMs` for the end of a task, or until the signal is aborted. */
  waitForEnd(taskId: string, caller: Caller, timeoutMs: number, signal?: AbortSignal): Promise<WaitResult>;
  /**
   * Erases the data of an owner and waits up to `timeoutMs` for its end. This process forgets at once what it remembers of
   * the owner, others within 60 s. Asked for again before it has finished, it is the same erasure.
   */
  eraseOwner(owner: string, by: By, timeoutMs: number): Promise<EraseResult>;
  /** Forgets what this process remembers of a task, so that it is read anew: of one that runs again, others forget its end within 60 s. */
  forgetTask(taskId: string): void;
  /** What of the orchestration is away: empty when all is well. */
  health(): Promise<('temporal' | 'worker')[]>;
}
