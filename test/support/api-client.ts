import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { eventually } from './eventually.js';
import { tokenFor } from './program.js';

/** A status as a client reads it. */
export interface Status {
  task_id: string;
  status: string;
  progress: number;
  message: string;
  prompt?: string;
  model?: string;
  error?: string;
  error_code?: string;
  action?: string;
  generated_by_ai?: boolean;
  warning?: string;
  cached?: true;
  stale?: boolean;
  usage?: { total_tokens: number };
  tokens?: { charged: number; available: number };
  detail?: { waiting_for?: string; attempt?: number };
}

export interface Account {
  subscription: { status: string };
  tokens: { balance: number; held: number; available: number };
}

interface Started {
  task_id: string;
  status_url: string;
}

/** What a frontend team and an admin do, over HTTP. `url` may change between calls: several APIs, one service. */
export class ApiClient {
  constructor(readonly url: () => string) {}

  async call(method: string, path: string, { as, scope, body, headers = {} }: CallOptions): Promise<Response> {
    return fetch(`${this.url()}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${await tokenFor(as, scope)}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async json<T>(method: string, path: string, options: CallOptions): Promise<T> {
    const answer = await this.call(method, path, options);
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Gives an owner a subscription and tokens. */
  async open(
    owner: string,
    { tokens = 0, ...account }: { tokens?: number; subscription?: object; business_type?: string } = {},
  ): Promise<void> {
    const path = `/api/v1/admin/accounts/${owner}/`;
    const admin = { as: 'admin', scope: 'admin' };
    await this.json('PUT', path, { ...admin, body: { subscription: { status: 'active' }, ...account } });
    // The same key each time: opened twice, it has its tokens once.
    if (tokens > 0) await this.grant(owner, tokens, 'first');
  }

  /** An owner of its own, opened. */
  async newOwner(account: Parameters<ApiClient['open']>[1] = {}): Promise<string> {
    const owner = randomUUID();
    await this.open(owner, account);
    return owner;
  }

  async grant(owner: string, tokens: number, key: string = randomUUID()): Promise<void> {
    const headers = { 'Idempotency-Key': key };
    const body = { tokens, reason: 'test' };
    await this.json('POST', `/api/v1/admin/accounts/${owner}/grants/`, { as: 'admin', scope: 'admin', headers, body });
  }

  start(owner: string, manual_prompt = 'We sell shoes.', headers: Record<string, string> = {}): Promise<Started> {
    return this.json('POST', GENERATE_ASYNC_PATH, { as: owner, headers, body: { manual_prompt } });
  }

  status(owner: string, { status_url }: Pick<Started, 'status_url'>): Promise<Status> {
    return this.json('GET', status_url, { as: owner });
  }

  account(owner: string): Promise<Account> {
    return this.json('GET', '/api/v1/account/', { as: owner });
  }

  /** The sum of an owner's ledger, and what was charged for which task. */
  async ledger(owner: string): Promise<{ sum: number; charges: { task_id: string; tokens: number }[] }> {
    interface Page {
      entries: { type: string; tokens: number; task_id: string }[];
      next_cursor: string | null;
    }
    const entries: Page['entries'] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `?cursor=${cursor}`;
      const page: Page = await this.json('GET', `/api/v1/admin/accounts/${owner}/ledger/${query}`, {
        as: 'admin',
        scope: 'admin',
      });
      entries.push(...page.entries);
      cursor = page.next_cursor;
    }
    return {
      sum: entries.reduce((sum, { tokens }) => sum + tokens, 0),
      charges: entries.filter(({ type }) => type === 'charge'),
    };
  }

  /** Polls until the task has ended; fails where its progress goes back. */
  async untilEnded(owner: string, task: Pick<Started, 'status_url'>, seen: Status[] = []): Promise<Status> {
    return eventually(
      async () => {
        const now = await this.status(owner, task);
        const before = seen.at(-1);
        if (before)
          assert.ok(now.progress >= before.progress, `progress went back from ${before.progress} to ${now.progress}`);
        if (before?.progress !== now.progress) seen.push(now);
        assert.equal(now.progress, 100);
        return now;
      },
      { timeoutMs: 110_000, everyMs: 20 },
    );
  }

  async untilProgress(owner: string, task: Pick<Started, 'status_url'>, progress: number): Promise<void> {
    await eventually(async () => {
      assert.equal((await this.status(owner, task)).progress, progress);
    });
  }
}

interface CallOptions {
  as: string;
  scope?: string;
  body?: unknown;
  headers?: Record<string, string>;
}
