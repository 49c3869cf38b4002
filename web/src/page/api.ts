import { GENERATIONS_PATH, OWN_ACCOUNT_PATH } from '../../../src/contract/names.js';
import { createCaller, type Answer } from '../client/http.js';
import { readStatus } from '../client/read-status.js';
import { IDLE, type Generation, type TokenSource } from '../client/types.js';

/** How the page is set up (GET /page-config.json). */
export interface PageConfig {
  demo_token?: string;
  demo_model: boolean;
  temporal_runs_url?: string;
  buy_tokens_url?: string;
  renew_subscription_url?: string;
  support_url?: string;
}

export interface Account {
  owner: string;
  tokens: { balance: number; held: number; available: number };
}

/** One generation of the list. */
export interface Listed {
  taskId: string;
  createdAt: Date;
  generation: Generation;
}

export interface ListedPage {
  items: Listed[];
  /** null: there are no older ones. */
  nextCursor: string | null;
}

export interface Filter {
  status: '' | 'processing' | 'completed' | 'failed';
  search: string;
}

/** Thrown where the service has no answer for the page. */
export class ApiProblem extends Error {
  override name = 'ApiProblem';
  constructor(
    /** The service's own words; null: it cannot be reached. */
    readonly told: string | null,
    /** The token was refused. */
    readonly unauthorized: boolean,
  ) {
    super(told ?? 'The service cannot be reached.');
  }
}

/** After a read that failed, before the next one. */
export const AGAIN_MS = 5_000;

/** What a proxy has put in front of all addresses of the service, such as `/prompts`; '' for nothing. */
export const BASE_URL = location.pathname.replace(/\/[^/]*$/, '');

/** Reads the page's configuration; without one (an older service) there is nothing to know. */
export async function readPageConfig(): Promise<PageConfig> {
  const answer = await fetch(`${BASE_URL}/page-config.json`);
  return answer.ok ? ((await answer.json()) as PageConfig) : { demo_model: false };
}

/** What the page asks of the service, besides generating. Both throw ApiProblem. */
export function createPageApi(token: TokenSource) {
  const { call } = createCaller(() => ({ token, baseUrl: BASE_URL }));

  async function get(path: string, signal: AbortSignal): Promise<unknown> {
    return bodyOf(await call({ method: 'GET', path, signal }));
  }

  return {
    account: (signal: AbortSignal) => get(OWN_ACCOUNT_PATH, signal) as Promise<Account>,
    /** A page of the caller's generations, newest first. */
    async generations({ status, search }: Filter, cursor: string | null, signal: AbortSignal): Promise<ListedPage> {
      const query = new URLSearchParams({ status, q: search, cursor: cursor ?? '' });
      const page = await get(`${GENERATIONS_PATH}?${query}`, signal);
      const { generations, next_cursor } = page as { generations: ListedBody[]; next_cursor: string | null };
      return { items: generations.map(listedOf), nextCursor: next_cursor };
    },
  };
}

export type PageApi = ReturnType<typeof createPageApi>;

function bodyOf(answer: Answer): Record<string, unknown> {
  switch (answer.kind) {
    case 'ok':
      return answer.body;
    case 'refused':
      throw new ApiProblem(answer.message, answer.status === 401);
    case 'busy':
      throw new ApiProblem(answer.message, false);
    case 'unreachable':
      throw new ApiProblem(null, false);
  }
}

type ListedBody = Record<string, unknown> & { task_id: string; manual_prompt: string; created_at: string };

function listedOf(body: ListedBody): Listed {
  const { task_id: taskId, manual_prompt: manualPrompt, created_at } = body;
  const generation = readStatus({ ...IDLE, taskId, manualPrompt }, body) ?? { ...IDLE, taskId, manualPrompt };
  return { taskId, createdAt: new Date(created_at), generation };
}
