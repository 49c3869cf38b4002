import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import { GENERATE_ASYNC_PATH, statusPath } from '../../../src/contract/names.js';
import { STEPS } from '../../../src/contract/steps.js';
import { createCall, textOf, type Answer } from './http.js';
import { createMemory, type PendingRequest } from './memory.js';
import { NO_RESULT, readStatus } from './read-status.js';
import { isOffline, rest } from './rest.js';
import { IDLE, isActive, type Action, type ErrorCode, type Generation, type GenerationClientOptions } from './types.js';

const POLL_MS = 1_000;
const RETRY_MS = 2_000;
const RETRIES = 3;
/** Between looks for a service that stays away. */
const LOST_MS = 5_000;

/** What to offer after an error that names no action itself. */
const ACTION_OF_CODE: Partial<Record<string, Action>> = {
  network_error: 'retry',
  no_answer: 'retry',
  task_not_found: 'retry',
  internal: 'retry',
  rate_limited: 'retry',
};

/** One generation at a time, from its start to its end, for any kind of page. */
export interface GenerationClient {
  /** The state now; a new object after each change, the same one until then. */
  getState: () => Generation;
  /**
   * Calls `listener` with the state, now and after each change, until the returned function is called. The first
   * listener makes the client go on with a task that was running before a reload; without any left it stops asking.
   */
  subscribe: (listener: (generation: Generation) => void) => () => void;
  /**
   * Starts a generation. Ignored while one is under way. The same text as that of one whose end was never seen means
   * that one: nothing is started or charged twice.
   */
  start: (manualPrompt: string) => void;
  /** Asks the service to cancel the task that is under way; it then ends as `failed` with the code `cancelled`. */
  cancel: () => void;
  /** Back to `idle`. A task that is under way runs on, unseen. */
  reset: () => void;
  /** Replaces the token and the address, for the next requests. */
  configure: (options: Pick<GenerationClientOptions, 'token' | 'baseUrl'>) => void;
}

/** Makes a client; it asks for nothing until it is subscribed to or told to start. */
export function createGenerationClient(options: GenerationClientOptions = {}): GenerationClient {
  let { token, baseUrl } = options;
  const call = createCall(() => ({ token, baseUrl }));
  const memory = createMemory(options);
  const listeners = new Set<(generation: Generation) => void>();
  let now: Generation = IDLE;
  /** The task whose end is not known; kept after an end that only the client declared. */
  let pending: PendingRequest | null = null;
  let following: AbortController | null = null;

  function show(next: Generation): void {
    now = next;
    for (const listener of [...listeners]) listener(now);
  }

  function remember(request: PendingRequest): void {
    pending = request;
    memory.keep(request);
  }

  function forget(): void {
    pending = null;
    memory.forget();
  }

  function fail(state: 'failed' | 'timed_out', errorCode: ErrorCode, error: string): void {
    // After a reload nothing is started that the user was told has failed; while the page stays, another try keeps the key.
    if (!pending?.task) memory.forget();
    const action = ACTION_OF_CODE[errorCode] ?? null;
    show({ ...now, ...NO_RESULT, state, error, errorCode, action, stale: false, cancellation: null });
  }

  function stop(): void {
    following?.abort();
    following = null;
  }

  /** Leads the pending request to its end, in the background. */
  function follow(resumed: boolean): void {
    const request = pending;
    if (!request) return;
    const controller = new AbortController();
    following = controller;
    const { signal } = controller;
    void lead(request, resumed, signal).catch((error: unknown) => {
      // Aborted: whoever stopped it has shown what is next. Anything else is a bug, which the page's console should tell.
      if (signal.aborted) return;
      fail('failed', 'internal', 'Something went wrong. Please try again.');
      throw error;
    });
  }

  async function lead(request: PendingRequest, resumed: boolean, signal: AbortSignal): Promise<void> {
    const started = request.task ? request : await begin(request, signal);
    if (!started?.task) return;
    const { taskId, statusUrl } = started.task;
    if (now.state === 'starting') show({ ...now, taskId, state: 'queued', message: STEPS.queued.message });
    if (now.cancellation === 'requested') void sendCancel(statusUrl, signal);
    await poll(started, statusUrl, resumed && request.task !== null, signal);
  }

  /** Sends the start until it is answered, always with the same key. */
  async function begin(request: PendingRequest, signal: AbortSignal): Promise<PendingRequest | null> {
    for (let failures = 0; ;) {
      const answer = await call({
        method: 'POST',
        path: GENERATE_ASYNC_PATH,
        body: { manual_prompt: request.text },
        headers: { 'Idempotency-Key': request.key },
        signal,
      });
      const taskId = answer.kind === 'ok' ? textOf(answer.body.task_id) : null;
      if (answer.kind === 'ok' && taskId !== null) {
        const statusUrl = textOf(answer.body.status_url) ?? statusPath(taskId);
        const started = { ...request, task: { taskId, statusUrl } };
        remember(started);
        show({ ...now, connection: 'online' });
        return started;
      }
      if (answer.kind === 'refused' || answer.kind === 'busy') {
        refuse(answer);
        return null;
      }
      if (!isOffline()) failures += 1;
      if (failures > RETRIES) {
        fail('failed', 'network_error', 'The service cannot be reached. Please try again.');
        return null;
      }
      show({ ...now, connection: 'reconnecting' });
      await rest(Math.max(RETRY_MS, answer.retryAfterMs), signal);
    }
  }

  /** Asks for the state until it is an end, the next time only after the last answer. */
  async function poll(request: PendingRequest, path: string, resumed: boolean, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ;) {
      const answer = await call({ method: 'GET', path, signal });
      const next = answer.kind === 'ok' ? readStatus(now, answer.body) : null;
      let waitMs = Math.max(POLL_MS, answer.retryAfterMs);
      if (next) {
        failures = 0;
        if (!isActive(next)) forget();
        show(isActive(next) ? next : { ...next, cancellation: null });
        if (!isActive(next)) return;
      } else if (answer.kind === 'refused') {
        // Another account has signed in since, or the task is too old: nothing that was asked for here.
        if (resumed && answer.status === 404) reset();
        else refuse(answer);
        return;
      } else if (answer.kind !== 'busy') {
        if (!isOffline()) failures += 1;
        show({ ...now, connection: failures > RETRIES ? 'lost' : 'reconnecting' });
        waitMs = Math.max(failures > RETRIES ? LOST_MS : RETRY_MS, answer.retryAfterMs);
      }
      const leftMs = request.startedAt + CLIENT_LIMIT_MS - Date.now();
      if (leftMs <= 0) {
        fail(
          'timed_out',
          'no_answer',
          'The service did not tell the end of this generation in time. Please look again.',
        );
        return;
      }
      await rest(Math.min(waitMs, leftMs), signal);
    }
  }

  function refuse(answer: Extract<Answer, { kind: 'refused' | 'busy' }>): void {
    const code = answer.kind === 'busy' ? 'rate_limited' : answer.code;
    // Kept where the task may exist all the same: the caller may sign in again, or the service recover.
    if (answer.kind === 'refused' && answer.status !== 401 && answer.status < 500) forget();
    fail('failed', code, answer.message);
  }

  async function sendCancel(statusUrl: string, signal: AbortSignal): Promise<void> {
    const answer = await call({ method: 'POST', path: `${statusUrl}cancel/`, signal }).catch(() => null);
    if (answer && answer.kind !== 'ok' && isActive(now)) show({ ...now, cancellation: 'failed' });
  }

  function start(manualPrompt: string): void {
    if (isActive(now)) return;
    stop();
    const again = pending?.text === manualPrompt ? pending : null;
    remember({
      text: manualPrompt,
      key: again?.key ?? newKey(),
      startedAt: Date.now(),
      task: again?.task ?? null,
    });
    show({ ...IDLE, state: 'starting', manualPrompt, taskId: again?.task?.taskId ?? null });
    follow(false);
  }

  function cancel(): void {
    if (!isActive(now) || now.cancellation === 'requested') return;
    show({ ...now, cancellation: 'requested' });
    // Without a task yet it is sent as soon as there is one.
    if (pending?.task && following) void sendCancel(pending.task.statusUrl, following.signal);
  }

  function reset(): void {
    stop();
    forget();
    show(IDLE);
  }

  function resume(): void {
    pending ??= memory.recall();
    if (!pending || now.state === 'failed' || now.state === 'timed_out') return;
    if (!isActive(now)) {
      const { text: manualPrompt, task } = pending;
      show({ ...IDLE, state: 'starting', manualPrompt, taskId: task?.taskId ?? null });
    }
    follow(true);
  }

  return {
    getState: () => now,
    subscribe(listener) {
      listeners.add(listener);
      if (listeners.size === 1 && following === null) resume();
      listener(now);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    start,
    cancel,
    reset,
    configure(next) {
      ({ token, baseUrl } = next);
    },
  };
}

/** Not `crypto.randomUUID`: that is missing on pages that came by plain http. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
