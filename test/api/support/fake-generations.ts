import { randomUUID } from 'node:crypto';
import { batchSnapshot, isBatchEnded } from '../../../src/contract/batch.js';
import { batchIdFrom, itemTaskId } from '../../../src/contract/names.js';
import type { Step } from '../../../src/contract/steps.js';
import {
  atStep,
  endedSnapshot,
  isEnded,
  queuedSnapshot,
  type GenerationEnd,
  type RunningSnapshot,
  type Snapshot,
} from '../../../src/contract/snapshot.js';
import type { TextSoFar } from '../../../src/feed/live-states.js';
import type { By, Erasure, StartQuota } from '../../../src/ledger/types.js';
import type { Failure } from '../../../src/contract/failures.js';
import type {
  Batches,
  CancelResult,
  Caller,
  EraseResult,
  FoundStatus,
  Generations,
  ListedGeneration,
  ListResult,
  StartResult,
  StatusResult,
  WaitResult,
} from '../../../src/generations/types.js';

type StartRequest = Parameters<Generations['start']>[0];
type ListQuery = Parameters<Generations['list']>[1];

interface Task {
  snapshot: Snapshot;
  prompt: string;
  cancelRequested: boolean;
}

const COMPLETED: GenerationEnd = {
  status: 'completed',
  prompt: 'You are a friendly assistant.',
  generatedByAi: true,
  model: 'test-model',
  usage: { prompt_tokens: 100, completion_tokens: 200, total_tokens: 300 },
};

/** Generations without Temporal: a test says how far each one is. */
export class FakeGenerations implements Generations {
  readonly now = Date.now;
  /** Nothing can be started, read or cancelled; the list is as the ledger has it. */
  away = false;
  /** Statuses that could not be read, as it was away. */
  refused = 0;
  /** Nothing can be listed. */
  ledgerAway = false;
  /** Thrown by every call: a bug. */
  bug: Error | undefined;
  unhealthy: ('temporal' | 'worker')[] = [];
  /** Nobody is told of a change. */
  deaf = false;
  /** Set: statuses are of then. */
  staleAsOf: string | undefined;
  /** Set: no other task can be started. */
  limited: Extract<StartResult, { outcome: 'limited' | 'overloaded' }> | undefined;
  /** What is left to every owner. */
  quota: StartQuota = { starts: 58, startsResetMs: 40_100, running: 19 };
  /** Set: how a start that takes equal work for its own is answered; a cached one has ended. */
  reused: 'cached' | 'joined' | undefined;
  readonly starts: StartRequest[] = [];
  /** Tasks whose end somebody waits for, and for how long at most. */
  readonly waiting: string[] = [];
  readonly waits: number[] = [];
  /** Of each of those who wait: aborted once they have gone. */
  readonly gone: AbortSignal[] = [];
  /** Starts wait for it; how many have come so far. */
  mayStart: Promise<void> = Promise.resolve();
  startsAsked = 0;
  readonly cancels: string[] = [];
  readonly lists: ListQuery[] = [];
  readonly callers: Caller[] = [];
  readonly erasures: { owner: string; by: By }[] = [];
  /** Whether an erasure ends while it is waited for. */
  erasureEnds = true;
  /** The next start is one of an erased task. */
  erased = false;
  /** Set: waiting ends so at once; else when the test ends the task. */
  waitResult: WaitResult | undefined;

  readonly #tasks = new Map<string, Task>();
  readonly #keys = new Map<string, string>();
  readonly #waiters = new Set<() => void>();
  readonly #subscribers = new Set<() => void>();
  /** What the model has written so far, of each task. */
  readonly texts = new Map<string, TextSoFar>();

  /** Batches of tasks that a test leads as any other. */
  readonly batches: Batches = {
    start: async ({ manualPrompts, ...request }) => {
      const refused = await this.#refusal();
      if (refused) return refused;
      const batchId = batchIdFrom(randomUUID());
      for (const [index, manualPrompt] of manualPrompts.entries())
        this.#add(itemTaskId(batchId, index), { ...request, manualPrompt });
      this.#batches.set(batchId, { owner: request.owner, size: manualPrompts.length });
      return { outcome: 'started', taskId: batchId, quota: this.quota };
    },
    status: async (batchId, caller) => {
      if (this.bug) throw this.bug;
      if (this.away) return { outcome: 'unavailable' };
      const known = this.#batches.get(batchId);
      if (known?.owner !== caller.owner) return { outcome: 'not_found' };
      const items = Array.from({ length: known.size }, (_, n) => this.#tasks.get(itemTaskId(batchId, n))!.snapshot);
      const { owner } = known;
      const batch = batchSnapshot({ batchId, owner, createdAt: items[0]!.created_at }, items);
      return Promise.resolve({
        outcome: 'found',
        batch,
        ...(this.staleAsOf === undefined ? {} : { staleAsOf: this.staleAsOf }),
      });
    },
    subscribe: (_, onChange) => this.subscribe('', onChange),
    cancel: async (batchId, caller) => {
      const status = await this.batches.status(batchId, caller);
      if (status.outcome !== 'found') return status;
      if (isBatchEnded(status.batch) || this.cancels.includes(batchId)) return { outcome: 'nothing_to_do', status };
      this.cancels.push(batchId);
      return { outcome: 'requested', status };
    },
  };
  readonly #batches = new Map<string, { owner: string; size: number }>();

  /** Why nothing new can be started, if so. */
  #refusal(): Promise<StartResult | null> {
    if (this.bug) return Promise.reject(this.bug);
    if (this.away) return Promise.resolve({ outcome: 'unavailable' });
    if (this.erased) return Promise.resolve({ outcome: 'erased', quota: this.quota });
    return Promise.resolve(this.limited ?? null);
  }

  #add(taskId: string, request: StartRequest): void {
    const { owner, manualPrompt: prompt } = request;
    this.starts.push(request);
    const snapshot = queuedSnapshot({ taskId, owner, createdAt: new Date().toISOString() });
    this.#tasks.set(taskId, { snapshot, prompt, cancelRequested: false });
  }

  async start(request: StartRequest): Promise<StartResult> {
    this.startsAsked += 1;
    await this.mayStart;
    if (this.bug) throw this.bug;
    if (this.away) return { outcome: 'unavailable' };
    const { owner, manualPrompt: prompt, idempotencyKey } = request;
    const known = idempotencyKey === undefined ? undefined : this.#keys.get(`${owner} ${idempotencyKey}`);
    if (known !== undefined) {
      const same = this.#tasks.get(known)?.prompt === prompt;
      const result = same ? { outcome: 'existing' as const, taskId: known } : { outcome: 'key_reused' as const };
      return { ...result, quota: this.quota };
    }
    if (this.erased) return { outcome: 'erased', quota: this.quota };
    if (this.limited) return this.limited;
    const taskId = randomUUID();
    if (idempotencyKey !== undefined) this.#keys.set(`${owner} ${idempotencyKey}`, taskId);
    this.#add(taskId, request);
    const reused = request.reuse ? this.reused : undefined;
    if (reused === 'cached') this.#end(taskId, COMPLETED, { tokensCharged: 0, cached: true });
    return { outcome: reused ?? 'started', taskId, quota: this.quota };
  }

  status(taskId: string, caller: Caller): Promise<StatusResult> {
    if (this.bug) return Promise.reject(this.bug);
    this.callers.push(caller);
    const found = this.#find(taskId, caller);
    if (this.away) {
      this.refused += 1;
      return Promise.resolve({ outcome: 'unavailable' });
    }
    return Promise.resolve(found ?? { outcome: 'not_found' });
  }

  /** Newest first, page by page; the cursor is the last task's id. What to look for is only written down. */
  list(owner: string, query: ListQuery): Promise<ListResult> {
    if (this.bug) return Promise.reject(this.bug);
    this.lists.push(query);
    if (this.ledgerAway) return Promise.resolve({ outcome: 'unavailable' });
    const all = [...this.#tasks.values()].filter(({ snapshot }) => snapshot.owner === owner).reverse();
    const from = query.cursor === undefined ? 0 : all.findIndex((task) => task.snapshot.task_id === query.cursor) + 1;
    if (query.cursor !== undefined && from === 0) return Promise.resolve({ outcome: 'unknown_cursor' });
    const page = all.slice(from, from + query.limit);
    const nextCursor = from + query.limit < all.length ? (page.at(-1)?.snapshot.task_id ?? null) : null;
    return Promise.resolve({ outcome: 'listed', generations: page.map((task) => this.#listed(task)), nextCursor });
  }

  cancel(taskId: string, caller: Caller): Promise<CancelResult> {
    if (this.away) return Promise.resolve({ outcome: 'unavailable' });
    const status = this.#find(taskId, caller);
    const task = this.#tasks.get(taskId);
    if (!status || !task) return Promise.resolve({ outcome: 'not_found' });
    if (isEnded(status.snapshot) || task.cancelRequested) return Promise.resolve({ outcome: 'nothing_to_do', status });
    task.cancelRequested = true;
    this.cancels.push(taskId);
    return Promise.resolve({ outcome: 'requested', status });
  }

  async waitForEnd(taskId: string, _caller: Caller, timeoutMs: number, signal?: AbortSignal): Promise<WaitResult> {
    this.waiting.push(taskId);
    this.waits.push(timeoutMs);
    if (signal) this.gone.push(signal);
    if (this.waitResult) return this.waitResult;
    for (;;) {
      const snapshot = this.#tasks.get(taskId)?.snapshot;
      if (!snapshot) return { outcome: 'not_found' };
      if (isEnded(snapshot)) return { outcome: 'ended', snapshot };
      if (signal?.aborted) return { outcome: 'still_running' };
      await new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
        signal?.addEventListener('abort', () => {
          resolve();
        });
      });
    }
  }

  eraseOwner(owner: string, by: By): Promise<EraseResult> {
    if (this.bug) return Promise.reject(this.bug);
    if (this.away) return Promise.resolve({ outcome: 'unavailable' });
    this.erasures.push({ owner, by });
    const { erasureEnds } = this;
    const erasure: Erasure = {
      id: 'erasure-1',
      owner,
      requestedAt: new Date(),
      finishedAt: erasureEnds ? new Date() : null,
      erased: { keys: 1, generations: 2, starts: 3, workflowRuns: 4 },
      kept: { ledgerEntries: 5 },
    };
    return Promise.resolve({ outcome: 'erasing', erasure });
  }

  forgetTask(): void {
    throw new Error('The API does not ask this of the generations');
  }

  /** Called back at a change of any task. */
  subscribe(_taskId: string, onChange: () => void): () => void {
    this.#subscribers.add(onChange);
    return () => this.#subscribers.delete(onChange);
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  textOf(taskId: string): TextSoFar | undefined {
    return this.texts.get(taskId);
  }

  /** The model writes on. */
  write(taskId: string, text: string, attempt = 1): void {
    const before = this.texts.get(taskId);
    this.texts.set(taskId, { attempt, text: before?.attempt === attempt ? before.text + text : text });
    for (const onChange of this.#subscribers) onChange();
  }

  health(): Promise<('temporal' | 'worker')[]> {
    return Promise.resolve(this.unhealthy);
  }

  advance(taskId: string, step: Step): void {
    this.#change(taskId, (now) => atStep(now, step, new Date().toISOString(), { attempt: 1 }));
  }

  complete(taskId: string, end: Partial<typeof COMPLETED> = {}): void {
    this.#end(taskId, { ...COMPLETED, ...end } as GenerationEnd);
  }

  fail(taskId: string, failure: Failure): void {
    this.#end(taskId, { status: 'failed', failure });
  }

  /** As if it had never been. */
  forget(taskId: string): void {
    this.#tasks.delete(taskId);
    for (const onChange of this.#subscribers) onChange();
  }

  #end(taskId: string, end: GenerationEnd, own: { tokensCharged?: number; cached?: true } = {}): void {
    const stored = { ...end, tokensCharged: 300, tokensAvailable: 9_700, endedAt: new Date().toISOString(), ...own };
    this.#change(taskId, (now) => endedSnapshot(now, stored));
  }

  #change(taskId: string, next: (now: RunningSnapshot) => Snapshot): void {
    const task = this.#tasks.get(taskId);
    if (!task || isEnded(task.snapshot)) throw new Error('The test changes a task that does not run');
    task.snapshot = next(task.snapshot);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
    if (!this.deaf) for (const onChange of this.#subscribers) onChange();
  }

  #listed({ snapshot, prompt }: Task): ListedGeneration {
    const stale = this.away && !isEnded(snapshot) ? { staleAsOf: snapshot.updated_at } : {};
    return { status: { outcome: 'found', snapshot, ...stale }, manualPrompt: prompt };
  }

  #find(taskId: string, caller: Caller): FoundStatus | undefined {
    const task = this.#tasks.get(taskId);
    if (task?.snapshot.owner !== caller.owner) return undefined;
    if (caller.kind === 'task' && caller.taskId !== taskId) return undefined;
    const { staleAsOf } = this;
    return { outcome: 'found', snapshot: task.snapshot, ...(staleAsOf === undefined ? {} : { staleAsOf }) };
  }
}
