import { anyOf } from './any-of.js';
import type { ServerEvent } from './event-parser.js';
import { numberOf, textOf, type Answer, type Caller } from './http.js';
import type { LedClient } from './lead-generation.js';
import { readStatus } from './read-status.js';
import { isHidden, rest, whenAway } from './rest.js';
import { isActive, type Generation } from './types.js';

/** A stream that brings nothing for so long is held back by something, such as a proxy that buffers. */
const SILENT_MS = 3_000;
/** The service says something every 15 s: one that does not any more was lost on the way. */
const LOST_MS = 20_000;
/** After a stream that brought nothing the page polls for so long before it tries another one. */
const POLL_FOR_MS = 10 * 60_000;

/** What was heard of a task by its events. */
export interface Heard {
  /** Of its last status; '' before. */
  lastEventId: string;
  /** The attempt whose text is shown; 0 before. */
  attempt: number;
}

/** The generation without the text of an attempt that has failed since. */
export function withoutOldText(next: Generation, { attempt }: Heard): Generation {
  return (numberOf(next.detail?.attempt) ?? 0) > attempt ? { ...next, partialText: null } : next;
}

/**
 * How a task is followed by its events, where they come through: its states and its text are shown as they come. What is
 * to be judged, such as its end, is answered as a poll would be; null: a poll has to tell. Throws where `signal` was aborted.
 */
export function createFollow(caller: Caller, { now, show }: Pick<LedClient, 'now' | 'show'>) {
  /** By `Date.now()`. */
  let pollsUntil = 0;

  async function listen(path: string, heard: Heard, leftMs: number, signal: AbortSignal): Promise<Answer | null> {
    const closing = new AbortController();
    const { signal: open, release } = anyOf([signal, closing.signal]);
    const close = (): void => {
      closing.abort();
    };
    const closeInPeace = (): void => {
      fruitless = false;
      close();
    };
    // One that worked once is worth another try.
    let fruitless = heard.lastEventId === '';
    let end = null as Answer | null;
    let silence = setTimeout(close, SILENT_MS);
    const limit = setTimeout(closeInPeace, leftMs);
    const stopWatching = whenAway(closeInPeace);

    function hear({ event, data, id }: ServerEvent): void {
      if (open.aborted) return;
      const body = JSON.parse(data) as Record<string, unknown>;
      if (event === 'text') write(body);
      else if (event === 'status') step(body, id);
    }

    function step(body: Record<string, unknown>, id: string): void {
      const next = readStatus(now(), body);
      if (!next) return;
      heard.lastEventId = id;
      fruitless = false;
      if (isActive(next)) {
        show(withoutOldText(next, heard));
      } else {
        end = { kind: 'ok', body, retryAfterMs: 0 };
        close();
      }
    }

    function write(piece: Record<string, unknown>): void {
      const [attempt, offset, text] = [numberOf(piece.attempt), numberOf(piece.offset), textOf(piece.text)];
      if (attempt === null || offset === null || text === null) return;
      heard.attempt = attempt;
      show({ ...now(), partialText: (now().partialText ?? '').slice(0, offset) + text });
    }

    function onPiece(): void {
      // Padding comes through where events may not. Opened again, a stream has perhaps no news.
      if (open.aborted || heard.lastEventId === '') return;
      clearTimeout(silence);
      silence = setTimeout(close, LOST_MS);
      if (now().connection !== 'online') show({ ...now(), connection: 'online' });
    }

    try {
      const headers = heard.lastEventId === '' ? {} : { 'Last-Event-ID': heard.lastEventId };
      const request = { method: 'GET', path: `${path}?text=true`, headers, signal: open } as const;
      const answer = await caller.listen(request, hear, onPiece);
      // Of other errors a poll tells whether they are about the stream alone.
      const refused = answer?.kind === 'refused' && (answer.status === 401 || answer.status === 404);
      if (refused) fruitless = false;
      return refused || answer?.kind === 'ok' ? answer : end;
    } catch (error) {
      if (signal.aborted) throw error;
      return end;
    } finally {
      clearTimeout(silence);
      clearTimeout(limit);
      stopWatching();
      close();
      release();
      if (fruitless && !signal.aborted) pollsUntil = Date.now() + POLL_FOR_MS;
    }
  }

  return async function follow(
    path: string,
    heard: Heard,
    leftMs: number,
    signal: AbortSignal,
  ): Promise<Answer | null> {
    if (leftMs <= 0 || Date.now() < pollsUntil || isHidden()) return null;
    const answer = await listen(path, heard, leftMs, signal);
    if (!answer && isHidden()) await rest(0, signal);
    return answer;
  };
}
