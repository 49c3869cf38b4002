import { wordsFor, type Action, type Failure, type FailureCode } from './failures.js';
import {
  COMPLETED_MESSAGE,
  ENDED_PROGRESS,
  FALLBACK_MESSAGE,
  FALLBACK_WARNING,
  STEPS,
  type Step,
  type WaitingFor,
} from './steps.js';

/** What a running generation waits for and, once an attempt failed, which one comes next and when (RFC 3339). */
export interface Detail {
  waiting_for?: WaitingFor;
  attempt?: number;
  next_attempt_at?: string;
}

/** Tokens the LLM counted. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

interface SnapshotBase {
  /** Grows with every change of a run; a reader never shows a smaller one after a larger one. */
  seq: number;
  /** Who may see it: the `sub` that started it. Never sent to clients. */
  owner: string;
  task_id: string;
  /** Percent, 0 to 100; never goes back. */
  progress: number;
  message: string;
  /** RFC 3339, like every time here. */
  created_at: string;
  updated_at: string;
}

export interface RunningSnapshot extends SnapshotBase {
  status: 'queued' | 'processing';
  detail?: Detail;
  /** Of a run that an operator's reset began again: `seq` and `progress` start anew. Never sent to clients. */
  repeated?: true;
}

export interface CompletedSnapshot extends SnapshotBase {
  status: 'completed';
  prompt: string;
  generated_by_ai: boolean;
  completed_at: string;
  usage: Usage;
  /** `available` is what the owner may still spend, as of the end. */
  tokens: { charged: number; available: number };
  model: string;
  /** Only of a fallback. */
  warning?: string;
  /** The prompt of an equal request before: no model was asked, nothing charged. */
  cached?: true;
}

export interface FailedSnapshot extends SnapshotBase {
  status: 'failed';
  error: string;
  error_code: FailureCode;
  action: Action;
  completed_at: string;
  /** Only of `insufficient_tokens` and `no_tokens_remaining`: what it took, and what the owner could spend. */
  tokens?: { required: number; available: number };
}

export type EndedSnapshot = CompletedSnapshot | FailedSnapshot;

/** The whole truth about one generation at one moment: what the query `progress` returns. */
export type Snapshot = RunningSnapshot | EndedSnapshot;

/** How a generation ended. */
export type GenerationEnd =
  | {
      status: 'completed';
      prompt: string;
      generatedByAi: boolean;
      model: string;
      usage: Usage;
      /** Of the work it is the result of; absent: it serves no equal request. */
      workKey?: string;
    }
  | { status: 'failed'; failure: Failure };

/** The stored truth of an ended generation; amounts are tokens. */
export type StoredEnd = GenerationEnd & {
  /** It was given the prompt of another task. */
  cached?: true;
  tokensCharged: number;
  /** What the owner could spend after it. */
  tokensAvailable: number;
  /** RFC 3339. */
  endedAt: string;
};

/** The first snapshot of a task. `createdAt` is RFC 3339. */
export function queuedSnapshot(task: {
  taskId: string;
  owner: string;
  createdAt: string;
  repeated?: boolean;
}): RunningSnapshot {
  return {
    seq: 0,
    owner: task.owner,
    task_id: task.taskId,
    ...factsOf('queued'),
    created_at: task.createdAt,
    updated_at: task.createdAt,
    detail: detailOf('queued'),
    ...(task.repeated ? { repeated: true } : {}),
  };
}

/**
 * The snapshot after entering `step` at `at` (RFC 3339). Progress never goes back: an earlier step than the one shown
 * changes only the detail.
 */
export function atStep(now: RunningSnapshot, step: Step, at: string, attempt?: Detail): RunningSnapshot {
  const detail = { ...detailOf(step), ...attempt };
  const base = { ...now, seq: now.seq + 1, updated_at: at };
  delete base.detail;
  const forward = STEPS[step].progress >= now.progress ? { ...base, ...factsOf(step) } : base;
  return Object.keys(detail).length > 0 ? { ...forward, detail } : forward;
}

/** The last snapshot of a generation. */
export function endedSnapshot(now: SnapshotBase, end: StoredEnd): EndedSnapshot {
  return end.status === 'completed' ? completedSnapshot(now, end) : failedSnapshot(now, end.failure, end.endedAt);
}

function completedSnapshot(now: SnapshotBase, end: Extract<StoredEnd, { status: 'completed' }>): CompletedSnapshot {
  return {
    ...endedBase(now, end.endedAt),
    status: 'completed',
    message: end.generatedByAi ? COMPLETED_MESSAGE : FALLBACK_MESSAGE,
    prompt: end.prompt,
    generated_by_ai: end.generatedByAi,
    ...(end.generatedByAi ? {} : { warning: FALLBACK_WARNING }),
    usage: end.usage,
    tokens: { charged: end.tokensCharged, available: end.tokensAvailable },
    model: end.model,
    ...(end.cached ? { cached: true } : {}),
  };
}

/** The last snapshot of a generation without a prompt; `at` is RFC 3339. */
export function failedSnapshot(now: SnapshotBase, failure: Failure, at: string): FailedSnapshot {
  const { message, error, action } = wordsFor(failure);
  return {
    ...endedBase(now, at),
    status: 'failed',
    message,
    error,
    error_code: failure.code,
    action,
    ...('available' in failure ? { tokens: { required: failure.required, available: failure.available } } : {}),
  };
}

/** Of every end, whoever tells it: after whatever may have come before. */
export const ENDED_SEQ = 1_000_000;

/** Whether nothing will change any more. */
export function isEnded(snapshot: Snapshot): snapshot is EndedSnapshot {
  return snapshot.status === 'completed' || snapshot.status === 'failed';
}

const factsOf = (step: Step): Pick<RunningSnapshot, 'progress' | 'status' | 'message'> => {
  const { progress, status, message } = STEPS[step];
  return { progress, status, message };
};

const detailOf = (step: Step): Detail => {
  const facts = STEPS[step];
  return 'waitingFor' in facts ? { waiting_for: facts.waitingFor } : {};
};

const endedBase = (now: SnapshotBase, at: string): SnapshotBase & { completed_at: string } => ({
  seq: ENDED_SEQ,
  owner: now.owner,
  task_id: now.task_id,
  progress: ENDED_PROGRESS,
  message: now.message,
  created_at: now.created_at,
  updated_at: at,
  completed_at: at,
});
