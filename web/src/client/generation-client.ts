import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import { GENERATE_ASYNC_PATH, statusPath } from '../../../src/contract/names.js';
import { STEPS } from '../../../src/contract/steps.js';
import { createCaller, report, textOf, type Answer } from './http.js';
import { createMemory, type PendingRequest } from './memory.js';
import { NO_RESULT, readStatus } from './read-status.js';
import { rest } from './rest.js';
import { IDLE, isActive, type Action, type ErrorCode, type Generation, type GenerationClientOptions } from './types.js';

const POLL_MS = 1_000;
const RETRY_MS = 2_000;
const RETRIES = 3;
/** Between looks for a service that stays away. */
const LOST_MS = 5_000;

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
  const { call, owner } = createCaller(() => ({ token, baseUrl }));
  const memory = createMemory(options);
  const listeners = new Set<(generation: Generation) => void>();
  let now: Generation = IDLE;
  /** The request whose end is not known; kept after an end that only the client declared. */
  let pending = memory.recall();
  let following: AbortController | null = null;

  function show(next: Generation): void {
    now = next;
    for (const listener of [...listeners]) {
      try {
        listener(now);
      } catch (error) {
        // A page that can't draw a state must not stop what leads to the next one.
        report(error);
      }
    }
  }

  function remember(request: PendingRequest): PendingRequest {
    pending = request;
    memory.keep(request);
    return request;
  }

  function forget(): void {
    if (pending) memory.forget(pending);
    pending = null;
  }

  function fail(state: 'failed' | 'timed_out', errorCode: ErrorCode, error: string, action: Action | null): void {
    // After a reload nothing is started that the user was told has failed; while the page stays, another try keeps the key.
    if (pending && !pending.task) memory.forget(pending);
    const ended = { stale: false, cancellation: null, connection: 'online' } as const;
    show({ ...now, ...NO_RESULT, ...ended, state, error, errorCode, action });
  }

  const failUnreachable = (): void => {
    fail('failed', 'network_error', 'The service cannot be reached. Please try again.', 'retry');
  };

  function stop(): void {
    following?.abort();
    following = null;
  }

  /** Leads a request to its end, in the background. `resumed`: it was asked for before a reload. */
  function follow(request: PendingRequest, resumed: boolean): void {
    const controller = new AbortController();
    following = controller;
    const { signal } = controller;
    void lead(request, resumed, signal).catch((error: unknown) => {
      // Aborted: whoever stopped it has shown what is next. Anything else is a bug.
      if (signal.aborted) return;
      report(error);
      fail('failed', 'internal', 'Something went wrong. Please try again.', 'retry');
    });
  }

  async function lead(asked: PendingRequest, resumed: boolean, signal: AbortSignal): Promise<void> {
    const request = await ofThisOwner(asked, resumed, signal);
    if (!request) {
      reset();
      return;
    }
    if (now.manualPrompt === null) show({ ...now, manualPrompt: request.text });
    const started = request.task ? request : await begin(request, signal);
    if (!started?.task) return;
    const { taskId, statusUrl } = started.task;
    if (now.state === 'starting') show({ ...now, taskId, state: 'queued', message: STEPS.queued.message });
    if (now.cancellation === 'requested') void sendCancel(statusUrl, signal);
    await poll(started, statusUrl, resumed && request.task !== null, signal);
  }

  /** The request, if whoever is signed in now asked for it; where it is a new one they do. null: somebody else did. */
  async function ofThisOwner(
    request: PendingRequest,
    resumed: boolean,
    signal: AbortSignal,
  ): Promise<PendingRequest | null> {
    const caller = await owner(signal);
    // A status is only shown to its owner; a start could be charged to somebody else.
    if (caller === undefined) return resumed && !request.task ? null : request;
    if (request.owner === caller) return request;
    if (request.owner === null) return remember({ ...request, owner: caller });
    return resumed ? null : remember({ ...request, owner: caller, key: newKey(), task: null });
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
        show({ ...now, connection: 'online' });
        return remember({ ...request, startedAt: Date.now(), task: { taskId, statusUrl } });
      }
      if (answer.kind === 'refused' || answer.kind === 'busy') {
        refuse(answer);
        return null;
      }
      failures += 1;
      const leftMs = request.startedAt + CLIENT_LIMIT_MS - Date.now();
      if (failures > RETRIES || leftMs <= 0 || now.cancellation === 'requested') {
        failUnreachable();
        return null;
      }
      show({ ...now, connection: 'reconnecting' });
      await rest(Math.min(Math.max(RETRY_MS, answer.retryAfterMs), leftMs), signal);
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
      } else if (answer.kind === 'refused' && answer.status < 500) {
        // Too old a task, or of somebody whose token did not tell: nothing that was asked for here.
        if (resumed && answer.status === 404) reset();
        else refuse(answer);
        return;
      } else if (answer.kind !== 'busy') {
        failures += 1;
        show({ ...now, connection: failures > RETRIES ? 'lost' : 'reconnecting' });
        waitMs = Math.max(failures > RETRIES ? LOST_MS : RETRY_MS, answer.retryAfterMs);
      }
      const leftMs = request.startedAt + CLIENT_LIMIT_MS - Date.now();
      // A page that was away for long hears the truth first: its first request may meet a network that is just waking up.
      if (leftMs <= 0 && (next ?? failures > RETRIES)) {
        const sentence = 'The service did not tell the end of this generation in time. Please look again.';
        fail('timed_out', 'no_answer', sentence, 'retry');
        return;
      }
      const woken = await rest(leftMs > 0 ? Math.min(waitMs, leftMs) : waitMs, signal);
      if (woken) failures = 0;
    }
  }

  function refuse(answer: Extract<Answer, { kind: 'refused' | 'busy' }>): void {
    if (answer.kind === 'busy') {
      fail('failed', 'rate_limited', answer.message, 'retry');
      return;
    }
    const { code, message, status } = answer;
    // Kept where the task may exist all the same: the caller may sign in again, or the service recover.
    if (status !== 401 && status < 500) forget();
    fail('failed', code, message, status >= 500 || status === 404 ? 'retry' : null);
  }

  async function sendCancel(statusUrl: string, signal: AbortSignal): Promise<void> {
    // Aborted: nobody looks at this task any more.
    const answer = await call({ method: 'POST', path: `${statusUrl}cancel/`, signal }).catch(() => null);
    if (answer && answer.kind !== 'ok' && isActive(now)) show({ ...now, cancellation: 'failed' });
  }

  function start(manualPrompt: string): void {
    if (isActive(now)) return;
    stop();
    const again = pending?.text === manualPrompt ? pending : null;
    const request = remember({
      text: manualPrompt,
      key: again?.key ?? newKey(),
      owner: again?.owner ?? null,
      startedAt: Date.now(),
      task: again?.task ?? null,
    });
    show({ ...IDLE, state: 'starting', manualPrompt, taskId: request.task?.taskId ?? null });
    follow(request, false);
  }

  function cancel(): void {
    if (!isActive(now) || now.cancellation === 'requested') return;
    if (now.state === 'starting' && now.connection !== 'online') {
      // Nothing says that it ever began. If it did, the same text again is that task.
      stop();
      failUnreachable();
      return;
    }
    show({ ...now, cancellation: 'requested' });
    // Without a task yet it is sent as soon as there is one.
    if (pending?.task && following) void sendCancel(pending.task.statusUrl, following.signal);
  }

  function reset(): void {
    stop();
    forget();
    show(IDLE);
  }

  /** Goes on with what a reload, or the last listener's leaving, has interrupted. */
  function resume(): void {
    if (!pending || now.state === 'failed' || now.state === 'timed_out') return;
    // Its text shows once it is known whose it is.
    if (!isActive(now)) show({ ...IDLE, state: 'starting', taskId: pending.task?.taskId ?? null });
    follow(pending, true);
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
