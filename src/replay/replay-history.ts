import { DefaultLogger, Runtime, Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { z } from 'zod';
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
    const parsed = History.safeParse(history);
    if (!parsed.success) return { outcome: 'no_history', why: 'It does not begin as a history does.' };
    if (!hasBegun(parsed.data)) return { outcome: 'compatible' };
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

/** As every history begins. What begins otherwise the SDK would replay for ever. */
const History = z.object({
  events: z.tuple(
    [
      z.object({
        workflowExecutionStartedEventAttributes: z.object({ workflowType: z.object({ name: z.string().min(1) }) }),
      }),
    ],
    z.looseObject({}),
  ),
});

/** Whether a worker has taken the run up; before that it has decided nothing, and the SDK would wait for that for ever. */
const hasBegun = ({ events }: z.infer<typeof History>): boolean =>
  events.some((event) => 'workflowTaskStartedEventAttributes' in event);

/** Of the SDK's long message the sentence that names the event. */
const departureIn = (message: string): string => /\[TMPRL\d+\][^"]*/.exec(message)?.[0] ?? message;

/** By names: the worker's package does not export the classes that it throws. */
const DEPARTS = new Set(['DeterminismViolationError']);
const OF_THE_HISTORY = new Set(['ReplayError', 'TypeError', 'IllegalStateError', 'ReferenceError']);

const isNamed = (error: unknown, names: ReadonlySet<string>): error is Error =>
  error instanceof Error && names.has(error.name);
