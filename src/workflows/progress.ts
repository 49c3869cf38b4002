import { defineQuery, defineSignal, proxySinks, setHandler, upsertMemo, type Sinks } from '@temporalio/workflow';
import {
  LLM_PROGRESS_SIGNAL,
  PROGRESS_QUERY,
  type GenerationMemo,
  type LlmProgress,
  type MemoSnapshot,
} from '../contract/names.js';
import {
  atStep,
  endedSnapshot,
  failedSnapshot,
  isEnded,
  queuedSnapshot,
  type Detail,
  type EndedSnapshot,
  type RunningSnapshot,
  type Snapshot,
  type StoredEnd,
} from '../contract/snapshot.js';
import type { Failure } from '../contract/failures.js';
import { showToOperators, type ShownToOperators } from './show-to-operators.js';
import type { Task } from './task.js';
import type { Step } from '../contract/steps.js';

/** What the worker does with each state of a run that goes on, once; the end is told by the transaction that stores it. */
export interface FeedSinks extends Sinks {
  feed: { announce(snapshot: RunningSnapshot): void };
}

const { feed } = proxySinks<FeedSinks>();
const progressQuery = defineQuery<Snapshot>(PROGRESS_QUERY);
const llmProgressSignal = defineSignal<[LlmProgress]>(LLM_PROGRESS_SIGNAL);

/** The snapshot of this run: the one place that changes it, and everything that shows it. */
export interface Progress {
  enter(step: Step, detail?: Detail): void;
  /** Shown to operators from the next step on. */
  about: ShownToOperators['about'];
  /** Ends with what is stored. */
  end(stored: StoredEnd): EndedSnapshot;
  /** Ends with a failure that could not be stored. */
  fail(failure: Failure): EndedSnapshot;
}

/**
 * Sets the handlers of query and signal; MUST be called before the workflow's first await. `createdAt` is
 * RFC 3339; `repeated`: the run began anew.
 */
export function trackProgress({ taskId, owner }: Task, createdAt: string, repeated: boolean): Progress {
  const operators = showToOperators();
  let step: Step = 'queued';
  let now: Snapshot = queuedSnapshot({ taskId, owner, createdAt, repeated });

  const show = <S extends Snapshot>(next: S): S => {
    now = next;
    // With the owner: a run that an operator started by hand has no other memo.
    upsertMemo({ owner, progress: forMemo(next) } satisfies Pick<GenerationMemo, 'owner' | 'progress'>);
    if (!isEnded(next)) feed.announce(next);
    operators.show(next, step);
    return next;
  };
  const enter = (next: Step, detail?: Detail): void => {
    if (isEnded(now)) return;
    step = next;
    show(atStep(now, next, timestamp(), detail));
  };

  setHandler(progressQuery, () => now, { description: 'The whole state of this generation, as its owner sees it' });
  setHandler(
    llmProgressSignal,
    (news) => {
      switch (news.kind) {
        case 'responding':
          enter('responding', { attempt: news.attempt });
          return;
        case 'retrying':
          enter('generating', { attempt: news.attempt, next_attempt_at: news.nextAttemptAt });
      }
    },
    { description: 'Sent by the LLM activity: the answer begins, or another attempt follows' },
  );

  return {
    enter,
    about: operators.about,
    end: (stored) => show(endedSnapshot(now, stored)),
    fail: (failure) => show(failedSnapshot(now, failure, timestamp())),
  };
}

const timestamp = (): string => new Date().toISOString();

/** The memo is copied into every list of workflows: no texts of the user in it, and nothing it holds already. */
function forMemo(snapshot: Snapshot): MemoSnapshot {
  if (snapshot.status === 'completed') {
    const { owner: _owner, prompt: _prompt, ...rest } = snapshot;
    return rest;
  }
  const { owner: _owner, ...rest } = snapshot;
  return rest;
}
