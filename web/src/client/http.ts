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

/** Calls the service as the options say. Throws only where `signal` was aborted. */
export type Call = (request: Request) => Promise<Answer>;

/** How the service is called. `options` are asked anew for each call. */
export function createCall(options: () => Pick<GenerationClientOptions, 'token' | 'baseUrl'>): Call {
  async function send(request: Request, token: string | null): Promise<Response> {
    const { method, path, body, headers, signal } = request;
    return fetch((options().baseUrl ?? '') + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
  }

  async function sendSignedIn(request: Request): Promise<Response> {
    const { token: source } = options();
    if (typeof source !== 'function') return send(request, source ?? null);
    const token = await source();
    const response = await send(request, token);
    if (response.status !== 401 || token === null) return response;
    const renewed = await source(token);
    return renewed === null || renewed === token ? response : send(request, renewed);
  }

  return async (request) => {
    try {
      const response = await sendSignedIn(request);
      return toAnswer(response, await bodyOf(response));
    } catch (error) {
      if (request.signal.aborted) throw error;
      return { kind: 'unreachable', retryAfterMs: 0 };
    }
  };
}

function toAnswer(response: Response, body: Record<string, unknown> | null): Answer {
  const { status } = response;
  const retryAfterMs = retryAfterOf(response);
  if (response.ok && body) return { kind: 'ok', body, retryAfterMs };
  const message = textOf(body?.message) ?? `The service answered ${status}.`;
  if (status === 429) return { kind: 'busy', message, retryAfterMs };
  // A page instead of JSON, or the errors of a proxy whose service is just away: as good as no answer.
  if (response.ok || [408, 502, 503, 504].includes(status)) return { kind: 'unreachable', retryAfterMs };
  return { kind: 'refused', status, code: textOf(body?.code) ?? `http_${status}`, message, retryAfterMs };
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
