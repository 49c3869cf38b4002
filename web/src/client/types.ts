import type { Action, FailureCode } from '../../../src/contract/failures.js';
import type { Detail, Usage } from '../../../src/contract/snapshot.js';

export type { Action } from '../../../src/contract/failures.js';
export type { Detail, Usage } from '../../../src/contract/snapshot.js';

/**
 * How well the service can be reached, apart from what the task does. `reconnecting`: an answer failed to come and is
 * asked for again, every 2 s; `lost`: so did the three after it, and it is asked for now and then.
 */
export type Connection = 'online' | 'reconnecting' | 'lost';

/**
 * Why there is no prompt: an `error_code` of a failed task, the `code` of an error answer, or one of the client's own:
 * `network_error` (the start did not get through) and `no_answer` (the end was not seen within 2 minutes).
 */
export type ErrorCode = FailureCode | 'network_error' | 'no_answer' | (string & {});

/** Tokens, as far as they are known of a task that ended. */
export interface Tokens {
  /** What the account can spend now. */
  available: number;
  charged?: number;
  /** Of too small a balance: what it took. */
  required?: number;
}

interface Result {
  prompt: string;
  /** False: a fallback, which is never charged. */
  generatedByAi: boolean;
  /** Only of a fallback. */
  warning: string | null;
  usage: Usage | null;
  model: string | null;
}

interface Problem {
  /** A sentence for the user. */
  error: string;
  errorCode: ErrorCode;
  /** What to offer the user; null: nothing that the service could name. */
  action: Action | null;
}

type Absent<T> = { [K in keyof T]: null };

interface Common {
  taskId: string | null;
  /** The text it was started with. */
  manualPrompt: string | null;
  /** Percent, 0 to 100, as the service reported it; never goes back. */
  progress: number;
  /** What the service says it is doing. */
  message: string | null;
  /** What the model has written so far, of the attempt under way; null where that is not known, and at the end. */
  partialText: string | null;
  /** What a running task waits for, and its attempts. */
  detail: Detail | null;
  /** The last known state: the service could not refresh it. */
  stale: boolean;
  connection: Connection;
  /** `failed`: the request to cancel did not get through; the task runs on. */
  cancellation: 'requested' | 'failed' | null;
  tokens: Tokens | null;
}

/** Nothing was started (`idle`), or its end is not known yet. */
export type OpenGeneration = Common & { state: 'idle' | 'starting' | 'queued' | 'processing' } & Absent<Result> &
  Absent<Problem>;

/** Everything known of one generation, told apart by `state`. */
export type Generation =
  | OpenGeneration
  | (Common & { state: 'completed' } & Result & Absent<Problem>)
  /** `timed_out`: two minutes without an end. What became of it is asked by starting the same text again. */
  | (Common & { state: 'failed' | 'timed_out' } & Absent<Result> & Problem);

/** Nothing was started, or it was reset. */
export const IDLE: OpenGeneration = {
  state: 'idle',
  taskId: null,
  manualPrompt: null,
  progress: 0,
  message: null,
  partialText: null,
  detail: null,
  stale: false,
  connection: 'online',
  cancellation: null,
  tokens: null,
  prompt: null,
  generatedByAi: null,
  warning: null,
  usage: null,
  model: null,
  error: null,
  errorCode: null,
  action: null,
};

/** Whether a generation is under way: nothing else can be started meanwhile. */
export const isActive = ({ state }: Pick<Generation, 'state'>): boolean =>
  state === 'starting' || state === 'queued' || state === 'processing';

/**
 * A JWT, or where to get one: called before each request, and once more, with the token that was refused, after a 401.
 * Without one only the task's cookie speaks for the caller.
 */
export type TokenSource = string | ((refused?: string) => string | null | Promise<string | null>);

/** How a client reaches the service and remembers its task. */
export interface GenerationClientOptions {
  token?: TokenSource | undefined;
  /** In front of `/api/v1/...`; '' (the page's own origin) where absent. */
  baseUrl?: string | undefined;
  /** Where a running task is remembered over a reload; the tab's sessionStorage where absent; null: nowhere. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null | undefined;
  /** Whether a running task is followed by its events, where they come through; true where absent. false: it is polled. */
  live?: boolean | undefined;
  /** Whether equal work need not be done, and paid, anew: the prompt there is for the same text will do. */
  reuse?: boolean | undefined;
  /** Tells several generations of one page apart; 'generate-prompt' where absent. */
  storageKey?: string | undefined;
}
