import type { Client } from '@temporalio/client';
import type { Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import type { ReadSource } from './read-source.js';

/** What the door to Temporal needs. The client MUST reject queries of closed workflows (`NOT_OPEN`). */
export interface GenerationsDeps {
  client: Client;
  ledger: Pick<
    Ledger,
    | 'getGeneration'
    | 'endGeneration'
    | 'endQueued'
    | 'listGenerations'
    | 'admit'
    | 'withdraw'
    | 'waive'
    | 'countWaiting'
    | 'shareTold'
    | 'newsOf'
    | 'now'
  > &
    Pick<Ledger, 'admitBatch' | 'withdrawBatch' | 'getBatch'> &
    Pick<Ledger, 'getStarted' | 'getBusiness' | 'stopSharing'> &
    Pick<Ledger, 'requestErasure' | 'withdrawErasure' | 'getErasure'>;
  limits: StartLimits;
  log: Logger;
  taskQueue: string;
  /**
   * Before a start: the run's payloads are encrypted for this owner. Throws where the owner's key can't be had now. Not
   * optional: a program that forgot it would encrypt by a key that outlives the owner.
   */
  assignKey: (taskId: string, owner: string) => Promise<void>;
  /** Forgets the keys that were destroyed, in this process. */
  forgetKeys?: () => Promise<void>;
  /** No other process tells anything of these tasks: what this one knows need not be compared. */
  alone?: boolean;
  /** Called for each read of a status, with what answered. */
  onRead?: (source: ReadSource) => void;
}

/**
 * Longest time in ms for one call of Temporal, or of the ledger: `ledger` where it only helps out, `news` of
 * what others told, `list` for a page. `share` is longer than a wait for a connection and one for the statement: a process
 * that told what was only late to be shared would be contradicted by the others.
 * `key`, for an owner's encryption key, is part of `start`: whoever starts waits no longer because of it.
 */
export const DEADLINE_MS = {
  start: 5_000,
  key: 2_000,
  query: 500,
  read: 2_000,
  cancel: 3_000,
  health: 1_500,
  ledger: 2_000,
  news: 1_000,
  share: 9_500,
  list: 5_000,
} as const;

/** Runs calls of Temporal with a deadline; without one the client waits and retries for ever. */
export const within = <T>(client: Client, ms: number, call: () => Promise<T>): Promise<T> =>
  client.withDeadline(Date.now() + ms, call);
