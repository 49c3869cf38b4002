import { queuedSnapshot, type Snapshot } from '../contract/snapshot.js';
import type { TextSoFar } from '../feed/live-states.js';
import type { CurrentRequest } from './current-request.js';
import type { Reach } from './scenarios.js';

/** A task that runs: what is known of it, and how requests about it fare. */
export interface Task {
  readonly taskId: string;
  readonly owner: string;
  readonly manualPrompt: string;
  /** RFC 3339. */
  readonly createdAt: string;
  snapshot: Snapshot;
  /** What the model has written so far. */
  text: TextSoFar | undefined;
  reach: Reach;
  /** Since when that is so, RFC 3339. */
  reachSince: string;
  /** Aborted by whoever cancels it. */
  readonly cancel: AbortController;
  /** Whoever wants to hear of each change, and over which connection. */
  readonly subscribers: Map<() => void, ReturnType<CurrentRequest['connection']>>;
  /** Requests that wait for its end. */
  readonly waiting: Set<ReturnType<CurrentRequest['connection']>>;
}

/** A task that was just started. */
export function newTask(given: Pick<Task, 'taskId' | 'owner' | 'manualPrompt'>): Task {
  const createdAt = new Date().toISOString();
  return {
    ...given,
    createdAt,
    snapshot: queuedSnapshot({ ...given, createdAt }),
    text: undefined,
    reach: 'answered',
    reachSince: createdAt,
    cancel: new AbortController(),
    subscribers: new Map(),
    waiting: new Set(),
  };
}
