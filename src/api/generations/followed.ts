import { isEnded } from '../../contract/snapshot.js';
import type { Caller, FoundStatus, Generations, Unavailable } from '../../generations/types.js';
import type { TextSoFar } from '../../feed/live-states.js';
import { statusJson } from './present-status.js';
import { tagOf } from './status-tag.js';

/** What comes of a read. */
export type Read<Found> = Found | { outcome: 'not_found' } | Unavailable;

/** Something whose state can be read in all ways, for one caller: a task, or a batch of them. */
export interface Followed<Found extends { outcome: 'found' } = { outcome: 'found' }> {
  read: () => Promise<Read<Found>>;
  /** Calls back whenever there may be something new to read, until the result is called. */
  subscribe: (onChange: () => void) => () => void;
  isEnded: (found: Found) => boolean;
  /** Names what the state says: two with the same tag say the same. The tag of an answer, and the id of an event. */
  tagOf: (found: Found) => string;
  /** As clients see it, in JSON. */
  toJson: (found: Found) => string;
  /** What the model writes. */
  text?: () => TextSoFar | undefined;
  /** Changes that come faster are read together. In ms; absent: each is read. */
  restMs?: number;
}

type TaskReader = Pick<Generations, 'status' | 'subscribe' | 'textOf'>;

export const followTask = (generations: TaskReader, taskId: string, caller: Caller): Followed<FoundStatus> => ({
  read: () => generations.status(taskId, caller),
  subscribe: (onChange) => generations.subscribe(taskId, onChange),
  isEnded: ({ snapshot }) => isEnded(snapshot),
  tagOf,
  toJson: statusJson,
  text: () => generations.textOf(taskId),
});
