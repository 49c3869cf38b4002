import type { FailureCode, Refusal } from '../contract/failures.js';
import type { GenerationEnd, RunningSnapshot } from '../contract/snapshot.js';

export type { GenerationEnd } from '../contract/snapshot.js';

/** Amounts are whole tokens everywhere; times are `Date`s. */
export interface Account {
  owner: string;
  businessType: string | null;
  subscription: Subscription;
  tokens: TokenBalance;
}

export interface Subscription {
  status: 'active' | 'deactivated' | 'none';
  /** Active only before then; null: no end. */
  expiresAt: Date | null;
}

export interface TokenBalance {
  /** The sum of the account's entries. */
  balance: number;
  /** Sum of the open holds that have not expired. */
  held: number;
  /** `balance - held`: what may still be spent. */
  available: number;
}

/** What an upsert of an account may set; what is absent stays as it is. */
export interface AccountPatch {
  businessType?: string | null | undefined;
  subscription?: { status: Subscription['status']; expiresAt?: Date | null | undefined } | undefined;
}

/** One line of the ledger; entries are only ever added. */
export interface Entry {
  /** Grows with each entry. */
  id: string;
  type: 'grant' | 'charge';
  /** Positive: added to the balance; negative: spent. Never zero. */
  tokens: number;
  balanceAfter: number;
  /** Why, in words: of a grant the admin's reason. */
  reason: string;
  /** The generation that was charged. */
  taskId: string | null;
  createdAt: Date;
}

export interface EntryPage {
  entries: Entry[];
  /** Give it back as `cursor` for the older ones; null: there are none. */
  nextCursor: string | null;
}

export type GrantResult =
  | { outcome: 'granted'; entry: Entry }
  /** The same key and grant came before; the entry is that one's. */
  | { outcome: 'replayed'; entry: Entry }
  /** The key was used for another grant. */
  | { outcome: 'key_reused' }
  | { outcome: 'unknown_account' };

export interface PromptTemplate {
  /** As last written; matched case-insensitively. */
  businessType: string;
  template: string;
  /** 1, 2, ... of its business type. */
  version: number;
}

/** What a generation needs to know of its account, taken once at its start. */
export interface GenerationStart {
  businessType: string | null;
  /** The newest template of the business type, if there is one. */
  template: { text: string; version: number } | null;
  /**
   * Set where nothing is left to do: this task already ended with an AI-written prompt (a reset or repeated run), or it is an
   * item of a batch that ended before its run began.
   */
  ended: EndedGeneration | null;
}

/** The stored truth of an ended generation, whoever ended it first. */
export type EndedGeneration = GenerationEnd & {
  /** It was given the prompt of another task. */
  cached?: true;
  /** Tokens the task was charged, ever. */
  tokensCharged: number;
  /** What the owner could spend after it. */
  tokensAvailable: number;
  endedAt: Date;
};

/** A generation's row: what is left to read of it once Temporal has forgotten it. */
export interface Generation {
  taskId: string;
  owner: string;
  manualPrompt: string;
  businessType: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** Of an item of a batch whose run has not begun, or came too late. */
  queued: boolean;
  /** null while it runs. */
  ended: EndedGeneration | null;
}

/** A task, and whose it is. */
export interface TaskOfOwner {
  taskId: string;
  owner: string;
}

/** What a row says of its task; one that is queued has none yet, unless it is of a batch. */
export type StoredStatus = 'processing' | 'completed' | 'failed';

/** Which of an owner's generations to read. */
export interface GenerationQuery {
  /** `nextCursor` of the page before; absent: the newest ones. */
  cursor?: string | undefined;
  limit: number;
  status?: StoredStatus | undefined;
  /**
   * Text to be found in the owner's text or in the prompt, in any case that the database's locale knows. MUST NOT be
   * empty or have a U+0000.
   */
  search?: string | undefined;
}

export interface GenerationPage {
  generations: Generation[];
  /** Give it back as `cursor` for the older ones; null: there are none. */
  nextCursor: string | null;
}

export type HoldResult = { outcome: 'held'; tokens: number } | { outcome: 'refused'; refusal: Refusal };

/** Who does what only admins may. */
export interface By {
  /** The `sub` of the token, or the program that does it by itself. */
  actor: string;
  /** The request, as the log names it; null: there is none. */
  requestId: string | null;
}

/** What is to be written down. */
export interface NewAdminAction {
  by: By;
  /** In words of code, such as `put_account`. */
  action: string;
  /** What it was done to: an owner, a business type in lower case, a task. */
  target: string;
  /** What was set. MUST NOT have a text of a user, a template or a model. */
  details: Record<string, unknown>;
}

/** What an admin did; actions are only ever added. */
export interface AdminAction extends Omit<NewAdminAction, 'by'>, By {
  /** Grows with each action. */
  id: string;
  at: Date;
}

/** Which actions to read: of all those before `cursor`. */
export interface AdminActionQuery {
  cursor?: string | undefined;
  limit: number;
  target?: string | undefined;
  actor?: string | undefined;
}

export interface AdminActionPage {
  actions: AdminAction[];
  /** Give it back as `cursor` for the older ones; null: there are none. */
  nextCursor: string | null;
}

/** What each owner may start, over all API processes together. */
export interface StartLimits {
  /** Starts within the last 60 s. */
  startsPerMinute: number;
  /** Tasks that have not ended. */
  runningTasks: number;
}

/** What is left to an owner after an admission. */
export interface StartQuota {
  /** Starts that are free right now. */
  starts: number;
  /** In so many ms the next start becomes free besides; 0 where all are. */
  startsResetMs: number;
  /** Tasks that may run besides those that do. */
  running: number;
}

/** Which limit refused a start. */
export type StartLimit = 'starts' | 'running';

export type Admission =
  /** Its row is stored as completed, with the prompt of equal work before: there is nothing to be begun. */
  | { outcome: 'cached'; quota: StartQuota }
  /** That task is at equal work. `isNew`: this very call said so first. */
  | { outcome: 'joined'; taskId: string; isNew: boolean; quota: StartQuota }
  /** `isNew`: this very call took the place; else the task had it. */
  | { outcome: 'admitted'; isNew: boolean; quota: StartQuota }
  | { outcome: 'limited'; limit: StartLimit; retryAfterMs: number; quota: StartQuota }
  /** The task was erased with its owner's data, and can't be started again. */
  | { outcome: 'erased'; quota: StartQuota };

export type BatchAdmission =
  /** `existing`: the same request made it before. `begun`: an item of it has begun, or ended. */
  | { outcome: 'admitted' | 'existing'; begun: boolean; createdAt: Date; quota: StartQuota }
  /** The batch was made before, by another request. */
  | { outcome: 'key_reused'; quota: StartQuota }
  | Exclude<Admission, { outcome: 'admitted' | 'cached' | 'joined' }>;

/** A batch as its items' rows tell it, in the order in which they were asked for. */
export interface Batch {
  batchId: string;
  owner: string;
  createdAt: Date;
  items: {
    taskId: string;
    state: StoredStatus | 'queued';
    /** Of a failed one. */
    failureCode: FailureCode | null;
    /** Of a completed one. */
    generatedByAi: boolean | null;
    updatedAt: Date;
  }[];
}

/** A start that need not begin what was done before, or is being done. */
export interface ReuseRequest {
  /** Of the work that the start is about to ask for. */
  workKey: string;
  manualPrompt: string;
  requestHash: string;
  /** Its task's id is of an Idempotency-Key: what it is answered with is remembered. */
  keyed: boolean;
}

/** What is known of an id that a start had. */
export interface StartedBefore {
  /** It was let in, within its owner's limits. */
  hasPlace: boolean;
  /** What it began, or the task it joined; null: not heard of yet. */
  generation: Generation | null;
  /** The task it joined, and by which request (null: not known). */
  joined: { taskId: string; requestHash: string | null } | null;
}

/** What a request to the model builds on, and whether its account may ask for one. */
export interface Business extends Pick<GenerationStart, 'businessType' | 'template'> {
  hasSubscription: boolean;
}

/** A running task's state that was told, and when it was known to be so (RFC 3339). */
export interface ToldState {
  snapshot: RunningSnapshot;
  asOf: string;
}

/** What is known of a task besides what its reader knows. */
export interface ToldNews {
  told: ToldState | null;
  /** Its end is stored; of a run that began anew: that of the one before. */
  ended: boolean;
}

/** The ledger looked at as a whole. */
export interface LedgerAudit {
  openHolds: number;
  /** Tokens of the open holds. */
  heldTokens: number;
  /** Open ones whose time is over. */
  expiredHolds: number;
  /** Tasks without an end that are older than any run may be. */
  stuckTasks: number;
  /** Accounts that do not agree with their entries or holds: never, or something is badly wrong. */
  mismatchedAccounts: number;
}

/** The receipt of an erasure. */
export interface Erasure {
  id: string;
  owner: string;
  requestedAt: Date;
  /** null: it goes on. */
  finishedAt: Date | null;
  /** How many there were, as far as it has come: keys that encrypt, stored generations, remembered starts, runs in Temporal. */
  erased: { keys: number; generations: number; starts: number; workflowRuns: number };
  kept: { ledgerEntries: number };
}

/** The runs of an erased task that Temporal was found to have. */
export interface ErasedRuns {
  taskId: string;
  runs: number;
}

/** The erasure of owners' data, step by step; each is safe to repeat. */
export interface Erasures {
  /** Writes down that an owner's data is to be erased (`isNew`), or gives the erasure that has not finished yet. */
  requestErasure(owner: string, by: By): Promise<{ erasure: Erasure; isNew: boolean }>;
  /** Takes a request back with which nothing has begun. */
  withdrawErasure(erasureId: string): Promise<void>;
  /**
   * Erases what the database has of the owner: generations, starts and keys; open holds are released. Accounts, entries and
   * what admins did are kept. From here on the ledger refuses these tasks (`TaskErased`). That is an admin's action,
   * `erase_owner`.
   */
  eraseData(erasureId: string): Promise<void>;
  /** Up to `limit` tasks whose runs Temporal may still have: of one erasure, or of all that have finished. */
  listErasedTasks(query: { erasureId?: string | undefined; limit: number }): Promise<string[]>;
  /** Notes what Temporal has of erased tasks. One with no run is gone, unless its start was so young that it may still come. */
  noteErasedRuns(found: ErasedRuns[]): Promise<void>;
  /** The receipt; null: there is no such erasure. MUST come when all its tasks are gone. */
  finishErasure(erasureId: string): Promise<Erasure | null>;
  /** The newest of an owner; null: there is none. */
  getErasure(owner: string): Promise<Erasure | null>;
}

/**
 * Accounts, money and stored generations. Every method is one transaction, safe to repeat and to run from many
 * processes at once; a method throws only when the database can't be used, or `TaskErased`.
 */
export interface Ledger extends Erasures {
  /** Creates the account or changes what the patch names. What it changes is an admin's action, `put_account`. */
  putAccount(owner: string, patch: AccountPatch, by: By): Promise<Account>;
  /** null: no such account. */
  getAccount(owner: string): Promise<Account | null>;
  /** Adds tokens (a positive whole number) once per account and key. That is an admin's action, `grant_tokens`. */
  grant(grant: { owner: string; tokens: number; reason: string; key: string; by: By }): Promise<GrantResult>;
  /** Newest first. A cursor that this method did not make gives null. */
  listEntries(owner: string, page: { cursor?: string | undefined; limit: number }): Promise<EntryPage | null>;
  /**
   * Stores a new version, which is an admin's action, `put_template`; or returns the newest where its text is the same.
   */
  putTemplate(businessType: string, template: string, by: By): Promise<PromptTemplate>;
  /** Writes down what an admin did elsewhere. The methods above do so themselves, in one transaction with the change. */
  recordAction(action: NewAdminAction): Promise<void>;
  /** Newest first. A cursor that this method did not make gives null. */
  listActions(query: AdminActionQuery): Promise<AdminActionPage | null>;

  /**
   * Gives a start its place within its owner's limits, exactly, however many ask at once and wherever. A task that has
   * a place is admitted again and takes no other. With `reuse` a start takes what its owner has of equal work: a result
   * (which counts as a start, not as a task that runs), else a task that goes on (which counts as nothing; but as many
   * keys as starts may join one within a minute), and is itself joined by equal ones. A task that is known already goes on as it began.
   */
  admit(start: { owner: string; taskId: string; limits: StartLimits; reuse?: ReuseRequest }): Promise<Admission>;
  /**
   * Gives the place of a start back that came to nothing: it counts no more, and is not joined, but stays known as its owner's.
   * false: somebody has joined its task, which stays.
   */
  withdraw(taskId: string): Promise<boolean>;
  /** Whatever these tasks of an owner do, it pays nothing for them: their caller never heard of them. */
  waive(starts: { owner: string; taskIds: readonly string[] }): Promise<void>;
  /** From here on nobody joins the task. */
  stopSharing(taskId: string): Promise<void>;
  /** null: no such account. */
  getBusiness(owner: string): Promise<Business | null>;
  /**
   * How many started tasks of each owner have waited longer than `forMs` for their first step: up to `atMost` owners, those
   * with the most. `inTurn`: among them are tasks that nobody overtook, so that whoever comes now waits as long.
   */
  countWaiting(query: {
    forMs: number;
    atMost: number;
  }): Promise<{ owner: string; waiting: number; inTurn: boolean }[]>;
  /**
   * Gives all items of a batch their places within their owner's limits and stores their rows, or none of them. A batch that
   * is known is told of, and takes nothing.
   */
  admitBatch(start: {
    batchId: string;
    owner: string;
    requestHash: string;
    items: { taskId: string; manualPrompt: string }[];
    limits: StartLimits;
  }): Promise<BatchAdmission>;
  /** Takes a batch back that came to nothing: what of it has not begun was never there. */
  withdrawBatch(batchId: string): Promise<void>;
  /** null: there is none. */
  getBatch(batchId: string): Promise<Batch | null>;
  /**
   * Forgets starts that are so old, some thousands at a time, and returns how many. MUST keep those whose history Temporal
   * may still have (its namespace's retention): they tell which tasks were an owner's. Seven days are enough for the usual
   * three. Which task an Idempotency-Key has joined is never forgotten.
   */
  forgetOldStarts(olderThanMs: number): Promise<number>;

  /**
   * Stores the generation's row if it is new, and reads what the job needs. `createdAt` is the workflow's start. Throws
   * TaskErased.
   */
  beginGeneration(task: {
    taskId: string;
    owner: string;
    manualPrompt: string;
    createdAt: Date;
  }): Promise<GenerationStart>;
  /**
   * Sets tokens aside for a task: `wanted`, or what is available where that is less, but never under `minimum`.
   * Checks the subscription first. The same `holdId` again gives the same answer for as long as its hold is open.
   * Throws TaskErased.
   */
  hold(hold: {
    holdId: string;
    taskId: string;
    owner: string;
    minimum: number;
    wanted: number;
    ttlMs: number;
  }): Promise<HoldResult>;
  /**
   * Ends a task in one transaction: resolves its holds, charges an AI-written prompt's usage (at most what was held,
   * once per task ever), stores the result. A task that already ended with an AI-written prompt stays as it is; a
   * failed or fallback one may be ended again by another run (an operator's reset), but not by the one that ended it: what
   * was told of a run stays. `runId`: absent where nobody knows it; what ends a task so holds for its first run, whatever that
   * still says, and not for one that began anew (`repeated`). `unlessEnded`: whatever is stored stays. `reason`: for
   * support, why there is no prompt by the AI, without any text of the owner or the model. Returns the stored truth. Of an
   * erased task it stores and charges nothing, and throws TaskErased.
   */
  endGeneration(end: {
    taskId: string;
    owner: string;
    end: GenerationEnd;
    runId?: string | undefined;
    repeated?: boolean | undefined;
    unlessEnded?: boolean | undefined;
    reason?: string | undefined;
  }): Promise<EndedGeneration>;
  /** Ends an item of a batch whose run has not begun, as `endGeneration` does. False: it is none, or none any more. */
  endQueued(end: { taskId: string; owner: string; end: GenerationEnd }): Promise<boolean>;
  /** null: never heard of it. */
  getGeneration(taskId: string): Promise<Generation | null>;
  /** What starts with these ids began or joined, in their order. */
  getStarted(taskIds: readonly string[]): Promise<StartedBefore[]>;
  /**
   * An owner's generations, newest first. Pages follow each other without a gap or a repetition, whatever is stored
   * between them. A cursor that this method did not make for this owner gives null.
   */
  listGenerations(owner: string, query: GenerationQuery): Promise<GenerationPage | null>;

  /** Keeps what is told of a running task, unless a newer state of it was kept or it has ended; returns what there was before. */
  shareTold(state: ToldState): Promise<ToldNews>;
  /** What was told of each of these tasks after the state with this `seq` (-1: ever); in their order. */
  newsOf(known: readonly { taskId: string; seq: number }[]): Promise<ToldNews[]>;
  /** Forgets what was told longer ago than that, of tasks that ended since. */
  forgetOldTold(olderThanMs: number): Promise<void>;

  /**
   * Resolves every hold that has expired; how many that were. What an expired one held could be spent before already.
   * `onOwner` is called after each owner. Throws what kept it from an owner's holds once it has done those of the others.
   */
  releaseExpiredHolds(onOwner?: () => void): Promise<number>;
  /** Up to `limit` tasks without an end whose run started longer ago than `olderThanMs`, oldest first. */
  listOverdue(query: { olderThanMs: number; limit: number }): Promise<TaskOfOwner[]>;

  /** What is open now, and whether balances and held tokens are what the entries and open holds say. */
  audit(): Promise<LedgerAudit>;

  /** A 32-byte key that all processes on this database share, made at the first call for its name. */
  sharedKey(name: string): Promise<Uint8Array>;
  /** The database's time. Throws when it does not answer. */
  now(): Promise<Date>;
}
