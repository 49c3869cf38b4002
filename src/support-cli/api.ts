import type { SupportCliConfig } from '../config.js';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';

/** The API answers within 5 s, or that it can't; an erasure waits as long. */
const TIMEOUT_MS = 30_000;

interface Call {
  query?: Record<string, string | number | undefined>;
  body?: object;
  headers?: Record<string, string>;
}

/** Asks the service; what it answers is JSON. Throws CliErrors in words for people. */
export interface Api {
  url: string;
  call(method: string, path: string, call?: Call): Promise<unknown>;
  get(path: string, query?: Call['query']): Promise<unknown>;
  post(path: string, body: object, headers?: Call['headers']): Promise<unknown>;
}

export function createApi({ apiUrl, token }: SupportCliConfig): Api {
  const call: Api['call'] = async (method, path, { query = {}, body, headers = {} } = {}) => {
    const url = new URL(apiUrl + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).catch((error: unknown) => {
      throw new CliError(`${apiUrl} does not answer (${causeOf(error)}). Is SUPPORT_API_URL right?`, EXIT.unavailable);
    });
    const answer = await jsonOf(response);
    if (!response.ok) throw refusal(response.status, answer);
    return answer;
  };
  return {
    url: apiUrl,
    call,
    get: (path, query = {}) => call('GET', path, { query }),
    post: (path, body, headers = {}) => call('POST', path, { body, headers }),
  };
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`What answers at SUPPORT_API_URL is not this service (status ${response.status}).`, EXIT.bad);
  }
}

function refusal(status: number, answer: unknown): CliError {
  const { detail, code, request_id } = answer as { detail?: string; code?: string; request_id?: string };
  const exitCode = status === 503 || status === 429 ? EXIT.unavailable : EXIT.bad;
  return new CliError(detail ?? `The service answered ${status}.`, exitCode, code, request_id);
}

/** The system's short code, such as ECONNREFUSED. */
function causeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return error instanceof Error ? error.name : 'unknown';
}
