import { createCaller, report } from './http.js';
import { createLead, failUnreachable, type LedClient } from './lead-generation.js';
import { createMemory, newKey, type PendingRequest } from './memory.js';
import { NO_RESULT } from './read-status.js';
import { IDLE, isActive, type Action, type ErrorCode, type Generation, type GenerationClientOptions } from './types.js';

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
  /**
   * Replaces the token and the address, for the next requests. A task that was given up as its token was refused is
   * followed again with a new one. (A function is asked for its token at each request; for that, `start` its text again.)
   */
  configure: (options: Pick<GenerationClientOptions, 'token' | 'baseUrl'>) => void;
}

/** Makes a client; it asks for nothing until it is subscribed to or told to start. */
export function createGenerationClient(options: GenerationClientOptions = {}): GenerationClient {
  let { token, baseUrl } = options;
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
    const ended = { stale: false, partialText: null, cancellation: null, connection: 'online' } as const;
    show({ ...now, ...NO_RESULT, ...ended, state, error, errorCode, action });
  }

  function stop(): void {
    following?.abort();
    following = null;
  }

  const led: LedClient = { now: () => now, show, fail, remember, forget, reset };
  const { lead, sendCancel } = createLead(
    createCaller(() => ({ token, baseUrl })),
    led,
    options,
  );

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
      stop();
      failUnreachable(led);
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
    goOn(pending);
  }

  function goOn(request: PendingRequest): void {
    // Its text shows once it is known whose it is.
    if (!isActive(now)) show({ ...IDLE, state: 'starting', taskId: request.task?.taskId ?? null });
    follow(request, true);
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
      const renewed = typeof next.token === 'string' && next.token !== token;
      ({ token, baseUrl } = next);
      // A page may make its function anew each time it draws: that one is another says nothing of its token.
      if (renewed && now.state === 'failed' && pending?.task) goOn(pending);
    },
  };
}
