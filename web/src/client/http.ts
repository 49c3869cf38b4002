import { anyOf } from './any-of.js';
import { createEventParser, type ServerEvent } from './event-parser.js';
import type { GenerationClientOptions } from './types.js';

/** An answer, as far as the client has to tell answers apart. Times are ms. */
export type Answer =
  | { kind: 'ok'; body: Record<string, unknown>; retryAfterMs: number }
  /** The service says no; asking again changes nothing. */
  | { kind: 'refused'; status: number; code: string; message: string; retryAfterMs: number }
  /** Too many requests: right, but later. */
  | { kind: 'busy'; message: string; retryAfterMs: number }
  /** No answer, or one of something between here and the service. */
  | { kind: 'unreachable'; retryAfterMs: number };

export interface Request {
  method: 'GET' | 'POST';
  /** From the origin: `/api/v1/...`. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Aborted: the call throws. */
  signal: AbortSignal;
}

/** An answer that takes longer counts as none; the service itself answers within 3 s, also while a part of it is away. */
const ANSWER_TIMEOUT_MS = 15_000;

/** How a client speaks to the service. All throw only where `signal` was aborted. */
export interface Caller {
  call: (request: Request) => Promise<Answer>;
  /**
   * Asks for server-sent events and hands them on until their stream ends or breaks: null. Whatever else answers is
   * read as by `call`. There is no limit of time. `onPiece`: something arrived, be it an event or not.
   */
  listen: (request: Request, onEvent: (event: ServerEvent) => void, onPiece: () => void) => Promise<Answer | null>;
  /** Whom the token speaks for; null where that does not tell, undefined where there is none to be had now. */
  owner: (signal: AbortSignal) => Promise<string | null | undefined>;
}

/** What a header can carry; anything else (quotes that a word processor made) no service would take. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** Without the line end that a file or an endpoint puts behind a token. */
const trimmed = (token: string | null): string | null => token?.trim() ?? null;

/** Speaks to the service as the options say. They are asked anew for each call. */
export function createCaller(options: () => Pick<GenerationClientOptions, 'token' | 'baseUrl'>): Caller {
  async function tokenOf(limit: AbortSignal, refused?: string): Promise<string | null> {
    const { token = null } = options();
    if (typeof token !== 'function') return trimmed(token);
    try {
      return trimmed(await unlessAborted(Promise.resolve(token(refused)), limit));
    } catch (error) {
      // The page's own code failed: it is asked again, as the service is, but its author has to hear of it.
      if (!limit.aborted) report(error);
      throw error;
    }
  }

  /** `read`: makes something of the response. */
  async function send<T>(
    request: Request,
    token: string | null,
    signal: AbortSignal,
    read: Read<T>,
  ): Promise<T | Answer> {
    if (token !== null && !SENDABLE.test(token)) return MALFORMED_TOKEN;
    const { method, path, body, headers } = request;
    const response = await fetch((options().baseUrl ?? '') + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      signal,
    });
    return read(response);
  }

  /** Sends it within the limit; where its token is refused once more, with a renewed one. */
  async function exchange<T extends Answer | null>(
    request: Request,
    limit: AbortSignal,
    read: Read<T>,
  ): Promise<T | Answer> {
    try {
      const token = await tokenOf(limit);
      const answer = await send(request, token, limit, read);
      if (answer?.kind !== 'refused' || answer.status !== 401 || token === null) return answer;
      const renewed = await tokenOf(limit, token);
      return renewed === null || renewed === token ? answer : await send(request, renewed, limit, read);
    } catch (error) {
      if (request.signal.aborted) throw error;
      return { kind: 'unreachable', retryAfterMs: 0 };
    }
  }

  return {
    call: (request) => inTime(request.signal, (limit) => exchange(request, limit, toAnswer)),

    listen: ({ headers, ...request }, onEvent, onPiece) =>
      exchange({ ...request, headers: { ...headers, Accept: ACCEPT_EVENTS } }, request.signal, async (response) => {
        if (!response.ok || !response.headers.get('Content-Type')?.startsWith(EVENTS)) return toAnswer(response);
        await readEvents(response, onEvent, onPiece);
        return null;
      }),

    async owner(signal) {
      try {
        return ownerOf(await inTime(signal, tokenOf));
      } catch (error) {
        if (signal.aborted) throw error;
        return undefined;
      }
    },
  };
}

/** Does the work with a signal that is aborted with this one, or where it takes too long. */
async function inTime<T>(signal: AbortSignal, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = anyOf([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  try {
    return await work(limit.signal);
  } finally {
    limit.release();
  }
}

type Read<T> = (response: Response) => Promise<T>;

const EVENTS = 'text/event-stream';
/** What knows no events may well answer the status. */
const ACCEPT_EVENTS = `${EVENTS}, application/json;q=0.9`;

/** Throws where the stream breaks. A browser whose responses can't be read as they come gets none of it. */
async function readEvents(
  { body }: Response,
  onEvent: (event: ServerEvent) => void,
  onPiece: () => void,
): Promise<void> {
  // Old browsers have none, whatever the types say.
  const reader = (body as ReadableStream<Uint8Array> | null | undefined)?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const parse = createEventParser(onEvent);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parse(decoder.decode(value, { stream: true }));
    onPiece();
  }
}

const MALFORMED_TOKEN: Answer = {
  kind: 'refused',
  status: 401,
  code: 'invalid_token',
  message: 'The token is malformed, expired or not ours.',
  retryAfterMs: 0,
};

/** `sub` of a JWT, not verified: it only tells callers of this page apart. */
export function ownerOf(token: string | null): string | null {
  try {
    const claims = atob((token ?? '').split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? '');
    return textOf((JSON.parse(claims) as { sub?: unknown }).sub);
  } catch {
    // Not a JWT: it does not tell.
    return null;
  }
}

/** As `promise`, but not after the signal is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('Aborted', { cause: signal.reason }));
    });
    promise.then(resolve, reject);
  });
}

/** Tells the page's console, and whoever collects its errors. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
}

async function toAnswer(response: Response): Promise<Answer> {
  const body = await bodyOf(response);
  const { status } = response;
  const retryAfterMs = retryAfterOf(response);
  if (response.ok && body) return { kind: 'ok', body, retryAfterMs };
  const message = textOf(body?.message) ?? `The service answered ${status}.`;
  if (status === 429) return { kind: 'busy', message, retryAfterMs };
  const code = textOf(body?.code);
  // A page instead of JSON, or the errors of a proxy whose service is just away: as good as no answer. So is a 404 of
  // whatever knows no such address: the service's own says by its code that it is about the task.
  if (response.ok || [408, 502, 503, 504].includes(status) || (status === 404 && code === null))
    return { kind: 'unreachable', retryAfterMs };
  return { kind: 'refused', status, code: code ?? `http_${status}`, message, retryAfterMs };
}

async function bodyOf(response: Response): Promise<Record<string, unknown> | null> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : null;
  } catch {
    // Not JSON: something else than the service answered.
    return null;
  }
}

/** The header's seconds as ms; 0 where there is none. Its other form, a date, is not used by the service. */
function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('Retry-After') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
export const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
