import type { CompletedSnapshot, FailedSnapshot, RunningSnapshot } from './snapshot.js';

/** Names that clients, workers and operators share. Changing one breaks running generations. */
export const WORKFLOW_TYPE = 'generatePrompt';
export const BATCH_WORKFLOW_TYPE = 'generateBatch';
export const RECONCILE_WORKFLOW_TYPE = 'reconcile';
export const ERASE_WORKFLOW_TYPE = 'eraseOwner';
/** Where calls of the model wait for their turn, where their number is limited. Every worker polls it, beside its own. */
export const llmTaskQueueOf = (taskQueue: string): string => `${taskQueue}-llm`;
export const PROGRESS_QUERY = 'progress';
export const LLM_PROGRESS_SIGNAL = 'llmProgress';
/** The header that takes a trace from the API into a workflow and its activities; the SDK's own name. */
export const TRACE_HEADER = '_tracer-data';

/** Memo of a workflow: readable by `describe` and in the Web UI without any worker. Never holds a text of the user. */
export interface GenerationMemo {
  owner: string;
  /** SHA-256 of the prompt, to tell the same request from another one under the same Idempotency-Key. */
  request_hash: string;
  request_id: string;
  /** The last snapshot without its prompt; absent until the workflow's first step. */
  progress?: MemoSnapshot;
}

/** A snapshot as the memo keeps it: the owner stands beside it, and a prompt is too large for it. */
export type MemoSnapshot =
  Omit<RunningSnapshot, 'owner'> | Omit<CompletedSnapshot, 'owner' | 'prompt'> | Omit<FailedSnapshot, 'owner'>;

/** The argument of the workflow; its id is the task's. */
export interface GeneratePromptInput {
  owner: string;
  manualPrompt: string;
  /** Of a run that support started for a task that had ended: for its owner it goes on. */
  repeated?: true;
  /** Of an item of a batch: it was asked for then (RFC 3339), and has waited so long for its run to start. */
  batch?: { createdAt: string; waitedMs: number };
}

/** The argument of `generateBatch`, whose id is `batchRunId`. */
export interface GenerateBatchInput {
  batchId: string;
  owner: string;
  manualPrompts: string[];
  /** RFC 3339. */
  createdAt: string;
  /** Between then and the start of this run. */
  waitedMs: number;
  /** What the items' runs are started with. */
  memo: GenerationMemo;
  summary: string;
  details: string;
}

/** The argument of `eraseOwner`. The ledger knows whose data it is: neither a text nor the owner is in the history. */
export interface EraseOwnerInput {
  erasureId: string;
}

/** One run of a task: an operator's reset makes several. */
export interface RunId {
  taskId: string;
  runId: string;
}

/** What the LLM activity tells its workflow while it runs. `nextAttemptAt` is RFC 3339. */
export type LlmProgress =
  { kind: 'responding'; attempt: number } | { kind: 'retrying'; attempt: number; nextAttemptAt: string };

const TASK_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a string has the form of a task id; any other one is of no task. */
export const isTaskId = (value: string): boolean => TASK_ID.test(value);

/** Prompts in a batch. MUST stay below 256: the last byte of an item's id is its place. */
export const BATCH_MAX_ITEMS = 100;

/** The id of a batch that any UUID makes: its last byte is 0. */
export const batchIdFrom = (uuid: string): string => `${uuid.slice(0, -2)}00`;

/** The id of the batch's item at this index, a task like any other. */
export const itemTaskId = (batchId: string, index: number): string =>
  batchId.slice(0, -2) + (index + 1).toString(16).padStart(2, '0');

/** The workflow id of a batch: no task has one like it, so that nobody takes a batch for a task. */
export const batchRunId = (batchId: string): string => `batch ${batchId}`;

export const GENERATE_ASYNC_PATH = '/api/v1/web-knowledge/generate-prompt-async/';
export const GENERATE_BATCH_PATH = '/api/v1/web-knowledge/generate-prompt-batch/';
export const GENERATE_PATH = '/api/v1/web-knowledge/generate-prompt/';
export const GENERATIONS_PATH = '/api/v1/web-knowledge/generations/';

export const OWN_ACCOUNT_PATH = '/api/v1/account/';

/** Where a task's status is polled. */
export const statusPath = (taskId: string): string => `${GENERATE_ASYNC_PATH}status/${taskId}/`;

/** Where a batch's status is polled. */
export const batchStatusPath = (batchId: string): string => `${GENERATE_BATCH_PATH}status/${batchId}/`;
