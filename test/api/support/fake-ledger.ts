import { randomUUID } from 'node:crypto';
import type {
  Account,
  AccountPatch,
  AdminAction,
  AdminActionPage,
  AdminActionQuery,
  By,
  Entry,
  EntryPage,
  Erasure,
  GrantResult,
  Ledger,
  NewAdminAction,
  PromptTemplate,
} from '../../../src/ledger/types.js';

const notOfTheApi = (): never => {
  throw new Error('The API does not ask this of the ledger');
};

/** The part of the ledger that the API uses, in memory. */
export class FakeLedger implements Ledger {
  /** Set: the database is away, and this is what the driver says. */
  outage: Error | undefined;
  readonly #accounts = new Map<string, Account>();
  readonly #entries = new Map<string, Entry[]>();
  readonly #grants = new Map<string, { tokens: number; reason: string; entry: Entry }>();
  readonly #actions: AdminAction[] = [];
  readonly #erasures = new Map<string, Erasure>();
  readonly #templates = new Map<string, PromptTemplate>();

  async putAccount(owner: string, patch: AccountPatch, by: By): Promise<Account> {
    const now = (await this.getAccount(owner)) ?? {
      owner,
      businessType: null,
      subscription: { status: 'none' as const, expiresAt: null },
      tokens: { balance: 0, held: 0, available: 0 },
    };
    const { businessType = now.businessType, subscription } = patch;
    const account: Account = {
      ...now,
      businessType,
      subscription: subscription
        ? {
            status: subscription.status,
            expiresAt: subscription.expiresAt === undefined ? now.subscription.expiresAt : subscription.expiresAt,
          }
        : now.subscription,
    };
    this.#accounts.set(owner, account);
    await this.recordAction({ by, action: 'put_account', target: owner, details: {} });
    return account;
  }

  async getAccount(owner: string): Promise<Account | null> {
    await this.now();
    return this.#accounts.get(owner) ?? null;
  }

  async grant({ owner, tokens, reason, key, by }: Parameters<Ledger['grant']>[0]): Promise<GrantResult> {
    const account = await this.getAccount(owner);
    if (!account) return { outcome: 'unknown_account' };
    const before = this.#grants.get(`${owner} ${key}`);
    if (before) {
      const same = before.tokens === tokens && before.reason === reason;
      return same ? { outcome: 'replayed', entry: before.entry } : { outcome: 'key_reused' };
    }
    const balance = account.tokens.balance + tokens;
    this.#accounts.set(owner, { ...account, tokens: { balance, held: 0, available: balance } });
    const entries = this.#entries.get(owner) ?? [];
    const entry: Entry = {
      id: String(entries.length + 1),
      type: 'grant',
      tokens,
      balanceAfter: balance,
      reason,
      taskId: null,
      createdAt: new Date(),
    };
    this.#entries.set(owner, [entry, ...entries]);
    this.#grants.set(`${owner} ${key}`, { tokens, reason, entry });
    await this.recordAction({ by, action: 'grant_tokens', target: owner, details: { tokens } });
    return { outcome: 'granted', entry };
  }

  async listEntries(owner: string, { cursor, limit }: Parameters<Ledger['listEntries']>[1]): Promise<EntryPage | null> {
    await this.now();
    const all = this.#entries.get(owner) ?? [];
    const from = cursor === undefined ? 0 : all.findIndex((entry) => entry.id === cursor) + 1;
    if (cursor !== undefined && from === 0) return null;
    const entries = all.slice(from, from + limit);
    return { entries, nextCursor: from + limit < all.length ? (entries.at(-1)?.id ?? null) : null };
  }

  async putTemplate(businessType: string, template: string, by: By): Promise<PromptTemplate> {
    await this.now();
    const newest = this.#templates.get(businessType.toLowerCase());
    if (newest?.template === template) return newest;
    const next = { businessType, template, version: (newest?.version ?? 0) + 1 };
    this.#templates.set(businessType.toLowerCase(), next);
    const target = businessType.toLowerCase();
    await this.recordAction({ by, action: 'put_template', target, details: { version: next.version } });
    return next;
  }

  async recordAction({ by, ...action }: NewAdminAction): Promise<void> {
    await this.now();
    this.#actions.unshift({ id: String(this.#actions.length + 1), at: new Date(), ...by, ...action });
  }

  async listActions({ cursor, limit, target, actor }: AdminActionQuery): Promise<AdminActionPage | null> {
    await this.now();
    const all = this.#actions.filter(
      (one) => (target ?? one.target) === one.target && (actor ?? one.actor) === one.actor,
    );
    const from = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
    if (cursor !== undefined && from === 0) return null;
    const actions = all.slice(from, from + limit);
    return { actions, nextCursor: from + limit < all.length ? (actions.at(-1)?.id ?? null) : null };
  }

  async requestErasure(owner: string): Promise<{ erasure: Erasure; isNew: boolean }> {
    await this.now();
    const erasure: Erasure = {
      id: randomUUID(),
      owner,
      requestedAt: new Date(),
      finishedAt: null,
      erased: { keys: 1, generations: 2, starts: 3, workflowRuns: 0 },
      kept: { ledgerEntries: this.#entries.get(owner)?.length ?? 0 },
    };
    this.#erasures.set(owner, erasure);
    return { erasure, isNew: true };
  }

  async getErasure(owner: string): Promise<Erasure | null> {
    await this.now();
    return this.#erasures.get(owner) ?? null;
  }

  sharedKey = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(32).fill(7));

  now(): Promise<Date> {
    return this.outage ? Promise.reject(this.outage) : Promise.resolve(new Date());
  }

  admit = notOfTheApi;
  admitBatch = notOfTheApi;
  withdrawBatch = notOfTheApi;
  getBatch = notOfTheApi;
  withdraw = notOfTheApi;
  waive = notOfTheApi;
  countWaiting = notOfTheApi;
  stopSharing = notOfTheApi;
  getBusiness = notOfTheApi;
  forgetOldStarts = notOfTheApi;
  beginGeneration = notOfTheApi;
  hold = notOfTheApi;
  endGeneration = notOfTheApi;
  endQueued = notOfTheApi;
  getGeneration = notOfTheApi;
  getStarted = notOfTheApi;
  listGenerations = notOfTheApi;
  shareTold = notOfTheApi;
  newsOf = notOfTheApi;
  forgetOldTold = notOfTheApi;
  releaseExpiredHolds = notOfTheApi;
  listOverdue = notOfTheApi;
  audit = notOfTheApi;
  withdrawErasure = notOfTheApi;
  eraseData = notOfTheApi;
  listErasedTasks = notOfTheApi;
  noteErasedRuns = notOfTheApi;
  finishErasure = notOfTheApi;
}
