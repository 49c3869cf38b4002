import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import type { GenerationClientOptions } from './types.js';

/** A generation that was asked for and whose end is not known yet. */
export interface PendingRequest {
  text: string;
  /** The Idempotency-Key: sent again with it, it is the same task. */
  key: string;
  /** Whose token it was asked for with; null: that did not tell. */
  owner: string | null;
  /** When it was last asked for, ms since the epoch by the clock of this machine. */
  startedAt: number;
  /** Known once the start was answered. */
  task: { taskId: string; statusUrl: string } | null;
}

/** Where the pending request of a page survives a reload. */
export interface Memory {
  recall(): PendingRequest | null;
  keep(request: PendingRequest): void;
  /** Forgets this request, and no other one that was kept since. */
  forget(request: PendingRequest): void;
}

/** A task that is older has ended long ago, and its page was left; a start without an answer is sent again at once only. */
const FORGET_AFTER_MS = 60 * 60_000;
const FORGET_UNANSWERED_AFTER_MS = CLIENT_LIMIT_MS;

/** Remembers in the storage of the options. A storage that refuses (full, forbidden) costs only the memory. */
export function createMemory({ storage, storageKey = 'generate-prompt' }: GenerationClientOptions): Memory {
  const reach = <T>(work: (storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) => T): T | null => {
    try {
      const reached = storage === undefined ? globalThis.sessionStorage : storage;
      return reached ? work(reached) : null;
    } catch {
      return null;
    }
  };
  const kept = (): PendingRequest | null => parse(reach((reached) => reached.getItem(storageKey)));
  return {
    recall: () => {
      const request = kept();
      const limitMs = request?.task ? FORGET_AFTER_MS : FORGET_UNANSWERED_AFTER_MS;
      return request && Date.now() - request.startedAt < limitMs ? request : null;
    },
    keep: (request) => {
      reach((reached) => {
        reached.setItem(storageKey, JSON.stringify(request));
      });
    },
    forget: ({ key }) => {
      if (kept()?.key !== key) return;
      reach((reached) => {
        reached.removeItem(storageKey);
      });
    },
  };
}

/** What another version or another script left there is not ours. */
function parse(text: string | null): PendingRequest | null {
  if (text === null) return null;
  try {
    const { text: prompt, key, owner = null, startedAt, task } = JSON.parse(text) as Partial<PendingRequest>;
    if (typeof prompt !== 'string' || typeof key !== 'string' || typeof startedAt !== 'number') return null;
    const known = typeof task?.taskId === 'string' && typeof task.statusUrl === 'string';
    return {
      text: prompt,
      key,
      owner,
      startedAt,
      task: known ? { taskId: task.taskId, statusUrl: task.statusUrl } : null,
    };
  } catch {
    return null;
  }
}

/** An Idempotency-Key. Not `crypto.randomUUID`: that is missing on pages that came by plain http. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
