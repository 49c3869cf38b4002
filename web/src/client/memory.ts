import type { GenerationClientOptions } from './types.js';

/** A generation that was asked for and whose end is not known yet. */
export interface PendingRequest {
  text: string;
  /** The Idempotency-Key: sent again with it, it is the same task. */
  key: string;
  /** When it was last asked for, ms since the epoch by the clock of this machine. */
  startedAt: number;
  /** Known once the start was answered. */
  task: { taskId: string; statusUrl: string } | null;
}

/** Where the pending request of a page survives a reload. */
export interface Memory {
  recall(): PendingRequest | null;
  keep(request: PendingRequest): void;
  forget(): void;
}

/** Nobody waits for an older one any more. */
const FORGET_AFTER_MS = 60 * 60_000;

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
  return {
    recall: () => {
      const request = parse(reach((reached) => reached.getItem(storageKey)));
      return request && Date.now() - request.startedAt < FORGET_AFTER_MS ? request : null;
    },
    keep: (request) => {
      reach((reached) => {
        reached.setItem(storageKey, JSON.stringify(request));
      });
    },
    forget: () => {
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
    const { text: prompt, key, startedAt, task } = JSON.parse(text) as Partial<PendingRequest>;
    if (typeof prompt !== 'string' || typeof key !== 'string' || typeof startedAt !== 'number') return null;
    const known = typeof task?.taskId === 'string' && typeof task.statusUrl === 'string';
    return { text: prompt, key, startedAt, task: known ? { taskId: task.taskId, statusUrl: task.statusUrl } : null };
  } catch {
    return null;
  }
}
