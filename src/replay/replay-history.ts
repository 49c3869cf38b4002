import { DefaultLogger, Runtime, Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { decryptHistory, HistoryUnreadable, type Decode } from './history-payloads.js';

/** What a replay has shown of one history. */
export type Replayed =
  | { outcome: 'compatible' }
  /** Today's code would have done something else; `why` names the event. */
  | { outcome: 'departs'; why: string }
  /** Its owner was erased, or its key is not known: nothing can be said. */
  | { outcome: 'unreadable'; why: string }
  /** It is no history, or one of a workflow that this code does not have. */
  | { outcome: 'no_history'; why: string };

/** Replays a history; `taskId` is its workflow id, which a history does not have. */
export type ReplayHistory = (history: unknown, taskId: string) => Promise<Replayed>;

/**
 * Replays histories against workflow code. It has nothing but that code and what is in the history: no activity is run, so
 * neither the model nor the ledger is asked. Once per process: it sets the SDK's log up.
 */
export function createReplayHistory(
  workflowBundle: NonNullable<ReplayWorkerOptions['workflowBundle']>,
  decode: Decode,
): ReplayHistory {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'off' } },
    shutdownSignals: [],
  });
  return replayBy(workflowBundle, decode);
}

/** The same in a process whose SDK is set up. */
export const replayBy =
  (workflowBundle: NonNullable<ReplayWorkerOptions['workflowBundle']>, decode: Decode): ReplayHistory =>
  async (history, taskId) => {
    if (!hasEvents(history)) return { outcome: 'no_history', why: 'It has no events, as a history has.' };
    try {
      await decryptHistory(history, decode);
      await Worker.runReplayHistory({ workflowBundle }, history, taskId);
      return { outcome: 'compatible' };
    } catch (error) {
      if (error instanceof HistoryUnreadable) return { outcome: 'unreadable', why: error.message };
      if (isNamed(error, DEPARTS)) return { outcome: 'departs', why: departureIn(error.message) };
      if (isNamed(error, OF_THE_HISTORY)) return { outcome: 'no_history', why: error.message };
      throw error;
    }
  };

const hasEvents = (history: unknown): boolean =>
  typeof history === 'object' &&
  history !== null &&
  'events' in history &&
  Array.isArray(history.events) &&
  history.events.length > 0;

/** Of the SDK's long message the sentence that names the event. */
const departureIn = (message: string): string => /\[TMPRL\d+\][^"]*/.exec(message)?.[0] ?? message;

/** By names: the worker's package does not export the classes that it throws. */
const DEPARTS = new Set(['DeterminismViolationError']);
const OF_THE_HISTORY = new Set(['ReplayError', 'TypeError', 'IllegalStateError', 'ReferenceError']);

const isNamed = (error: unknown, names: ReadonlySet<string>): error is Error =>
  error instanceof Error && names.has(error.name);
