import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import { GENERATE_ASYNC_PATH, statusPath } from '../../../src/contract/names.js';
import type { STEPS } from '../../../src/contract/steps.js';
import { createFollow, withoutOldText, type Heard } from './follow-events.js';
import { textOf, type Answer, type Caller } from './http.js';
import { newKey, type PendingRequest } from './memory.js';
import { readStatus } from './read-status.js';
import { rest } from './rest.js';
import { isActive, type Action, type ErrorCode, type Generation, type GenerationClientOptions } from './types.js';

const POLL_MS = 1_000;
const RETRY_MS = 2_000;
const RETRIES = 3;
/** Between looks for a service that stays away. */
const LOST_MS = 5_000;

/** Checked by the compiler, so that a page does not load the words of all the other steps. */
const QUEUED: (typeof STEPS)['queued']['message'] = 'Task queued, waiting to start...';

/** The client whose generation is led: what it shows, and what it remembers. */
export interface LedClient {
  now: () => Generation;
  show: (next: Generation) => void;
  /** Ends the generation without a prompt, for this page; `error` is a sentence for the user. */
  fail: (state: 'failed' | 'timed_out', errorCode: ErrorCode, error: string, action: Action | null) => void;
  remember: (request: PendingRequest) => PendingRequest;
  /** The end is known. */
  forget: () => void;
  /** Back to idle: there is nothing of this page's user to show. */
  reset: () => void;
}

/** Nothing says that it ever began. If it did, the same text again is that task. */
export function failUnreachable({ fail }: LedClient): void {
  fail('failed', 'network_error', 'The service cannot be reached. Please try again.', 'retry');
}

/** How requests are led to their end, by events unless `live` is false, and cancelled. Both go on until `signal` is aborted, which makes `lead` throw. */
export function createLead(
  caller: Caller,
  client: LedClient,
  { live = true, reuse = false }: Pick<GenerationClientOptions, 'live' | 'reuse'>,
) {
  const { now, show, fail, remember, forget, reset } = client;
  const follow = createFollow(caller, client);

  /** Starts a request and asks for its state until it is an end. `resumed`: it was asked for before a reload. */
  async function lead(asked: PendingRequest, resumed: boolean, signal: AbortSignal): Promise<void> {
    const request = await ofThisOwner(asked, resumed, signal);
    if (!request) {
      reset();
      return;
    }
    if (now().manualPrompt === null) show({ ...now(), manualPrompt: request.text });
    const started = request.task ? request : await begin(request, signal);
    if (!started?.task) return;
    const { taskId, statusUrl } = started.task;
    const shown = now();
    if (shown.state === 'starting') show({ ...shown, taskId, state: 'queued', message: QUEUED });
    if (now().cancellation === 'requested') void sendCancel(statusUrl, signal);
    await poll(started, statusUrl, resumed && request.task !== null, signal);
  }

  /** The request, if whoever is signed in now asked for it; where it is a new one they do. null: somebody else did. */
  async function ofThisOwner(
    request: PendingRequest,
    resumed: boolean,
    signal: AbortSignal,
  ): Promise<PendingRequest | null> {
    const owner = await caller.owner(signal);
    // A status is only shown to its owner; a start could be charged to somebody else.
    if (owner === undefined) return resumed && !request.task ? null : request;
    if (request.owner === owner) return request;
    if (request.owner === null) return remember({ ...request, owner });
    return resumed ? null : remember({ ...request, owner, key: newKey(), task: null });
  }

  /** Sends the start until it is answered, always with the same key. */
  async function begin(request: PendingRequest, signal: AbortSignal): Promise<PendingRequest | null> {
    for (let failures = 0; ;) {
      const answer = await caller.call({
        method: 'POST',
        path: GENERATE_ASYNC_PATH,
        body: { manual_prompt: request.text, ...(reuse ? { reuse } : {}) },
        headers: { 'Idempotency-Key': request.key },
        signal,
      });
      const taskId = answer.kind === 'ok' ? textOf(answer.body.task_id) : null;
      if (answer.kind === 'ok' && taskId !== null) {
        const statusUrl = textOf(answer.body.status_url) ?? statusPath(taskId);
        show({ ...now(), connection: 'online' });
        return remember({ ...request, startedAt: Date.now(), task: { taskId, statusUrl } });
      }
      if (answer.kind === 'refused' || answer.kind === 'busy') {
        refuse(answer);
        return null;
      }
      failures += 1;
      const leftMs = request.startedAt + CLIENT_LIMIT_MS - Date.now();
      if (failures > RETRIES || leftMs <= 0 || now().cancellation === 'requested') {
        failUnreachable(client);
        return null;
      }
      show({ ...now(), connection: 'reconnecting' });
      await rest(Math.min(Math.max(RETRY_MS, answer.retryAfterMs), leftMs), signal);
    }
  }

  /** Asks for the state until it is an end, the next time only after the last answer; between them events may tell it. */
  async function poll(request: PendingRequest, path: string, resumed: boolean, signal: AbortSignal): Promise<void> {
    const limitMs = request.startedAt + CLIENT_LIMIT_MS;
    const heard: Heard = { lastEventId: '', attempt: 0 };
    for (let failures = 0; ;) {
      const listens = live && failures === 0;
      const told = listens ? await follow(path, heard, limitMs - Date.now(), signal) : null;
      const answer = told ?? (await caller.call({ method: 'GET', path, signal }));
      const next = answer.kind === 'ok' ? readStatus(now(), answer.body) : null;
      let waitMs = Math.max(POLL_MS, answer.retryAfterMs);
      if (next && !isActive(next)) {
        forget();
        show({ ...next, cancellation: null });
        return;
      }
      if (next) {
        failures = 0;
        show(withoutOldText(next, heard));
      } else if (answer.kind === 'refused' && answer.status < 500) {
        // Too old a task, or of somebody whose token did not tell: nothing that was asked for here.
        if (resumed && answer.status === 404) reset();
        else refuse(answer);
        return;
      } else if (answer.kind !== 'busy') {
        failures += 1;
        show({ ...now(), connection: failures > RETRIES ? 'lost' : 'reconnecting' });
        waitMs = Math.max(failures > RETRIES ? LOST_MS : RETRY_MS, answer.retryAfterMs);
      }
      const leftMs = limitMs - Date.now();
      // A page that was away for long hears the truth first: its first request may meet a network that is just waking up.
      const answered = next !== null || answer.kind === 'busy';
      if (leftMs <= 0 && (answered || failures > RETRIES)) {
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
    fail('failed', code, message, status >= 500 || [401, 404].includes(status) ? 'retry' : null);
  }

  /** Asks for the task to be cancelled; its end then shows as any other does. */
  async function sendCancel(statusUrl: string, signal: AbortSignal): Promise<void> {
    // Aborted: nobody looks at this task any more.
    const answer = await caller.call({ method: 'POST', path: `${statusUrl}cancel/`, signal }).catch(() => null);
    if (answer && answer.kind !== 'ok' && isActive(now())) show({ ...now(), cancellation: 'failed' });
  }

  return { lead, sendCancel };
}
