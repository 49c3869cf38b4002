import { setTimeout as delay } from 'node:timers/promises';
import type { Refusal } from '../contract/failures.js';
import { atStep, endedSnapshot, isEnded, type Detail, type GenerationEnd } from '../contract/snapshot.js';
import type { TextSoFar } from '../feed/live-states.js';
import type { Logger } from '../log.js';
import { createJobs, type Job, type JobDeps } from './job.js';
import type { Course, Moment } from './scenarios.js';
import type { Task } from './task.js';

/** How long a cancelled task still runs. */
const CANCELLING_MS = 300;
/** As a model's words come, several at a time. */
const WRITE_EVERY_MS = 80;

/** Waits, or rejects once the signal is aborted. */
export type Rest = (ms: number, signal: AbortSignal) => Promise<unknown>;

const realRest: Rest = (ms, signal) => delay(ms, undefined, { signal, ref: false });

export interface PlayDeps extends JobDeps {
  log: Logger;
  /** In place of real time. */
  rest?: Rest;
}

/** Leads a task through its course to its end, as the workflow does. `stopping` breaks it off. */
export function createPlay(deps: PlayDeps, stopping: AbortSignal): (task: Task, course: Course) => Promise<void> {
  const { log, rest = realRest } = deps;
  const jobOf = createJobs(deps);

  return async function play(task, course) {
    const job = jobOf(task);
    const end = async (how: GenerationEnd): Promise<void> => {
      task.snapshot = endedSnapshot(task.snapshot, await job.finalize(how));
      tellChange(task);
    };
    try {
      const outcome = await walk(task, course, job);
      if (outcome) await end(outcome);
    } catch (error) {
      if (stopping.aborted) return;
      if (!task.cancel.signal.aborted) {
        log.error({ err: error, task_id: task.taskId }, 'a task could not be played to its end');
        return end({ status: 'failed', failure: { code: 'internal' } });
      }
      await rest(CANCELLING_MS, stopping);
      await end({ status: 'failed', failure: { code: 'cancelled' } });
    }
  };

  /** How it comes out; null: nobody is to know. */
  async function walk(task: Task, { moments, endsAtMs, ending }: Course, job: Job): Promise<GenerationEnd | null> {
    const brokenOff = AbortSignal.any([task.cancel.signal, stopping]);
    let nowMs = 0;
    const until = async (ms: number): Promise<void> => {
      await rest(ms - nowMs, brokenOff);
      nowMs = ms;
    };
    for (const moment of writing(moments)) {
      await until(moment.atMs);
      // What is to be forgotten leaves no trace.
      const refusal = ending === 'forgotten' ? null : await workBefore(moment, job);
      if (refusal) return { status: 'failed', failure: refusal };
      if (moment.written !== undefined) task.text = await written(moment, job);
      enter(task, moment);
    }
    await until(endsAtMs);
    return ending === 'forgotten' ? null : job.outcome(ending);
  }
}

/** The course with the moments in which the text grows: from the model's first word to the step after it. */
function writing(moments: readonly Moment[]): readonly Moment[] {
  const from = moments.find(({ step }) => step === 'responding');
  const to = moments.find(({ step }) => step === 'finalizing');
  if (!from || !to) return moments;
  const times = Math.floor((to.atMs - from.atMs) / WRITE_EVERY_MS);
  const pieces = Array.from({ length: times }, (_, n): Moment => ({
    atMs: from.atMs + n * WRITE_EVERY_MS,
    attempt: from.attempt ?? 1,
    written: (n + 1) / times,
  }));
  return [...moments, ...pieces].sort((one, other) => one.atMs - other.atMs);
}

async function written({ attempt = 1, written: share = 0 }: Moment, job: Job): Promise<TextSoFar> {
  const end = await job.outcome('prompt');
  const prompt = end.status === 'completed' ? end.prompt : '';
  return { attempt, text: prompt.slice(0, Math.ceil(share * prompt.length)) };
}

/** The work of the step that this moment ends. So a course that ends at a step has none of its money moved. */
async function workBefore({ step }: Moment, job: Job): Promise<Refusal | null> {
  switch (step) {
    case 'checkingTokens':
      await job.begin();
      return null;
    case 'generating':
      return job.hold();
    default:
      return null;
  }
}

const tellChange = ({ subscribers }: Task): void => {
  for (const onChange of [...subscribers.keys()]) onChange();
};

/** Shows what a moment changes. */
function enter(task: Task, { step, attempt, retryInMs, reach }: Moment): void {
  const now = new Date();
  if (step && !isEnded(task.snapshot)) {
    const detail: Detail = {
      ...(attempt === undefined ? {} : { attempt }),
      ...(retryInMs === undefined ? {} : { next_attempt_at: new Date(now.getTime() + retryInMs).toISOString() }),
    };
    task.snapshot = atStep(task.snapshot, step, now.toISOString(), detail);
  }
  tellChange(task);
  if (reach === undefined) return;
  task.reach = reach;
  task.reachSince = now.toISOString();
  if (reach === 'cut') for (const connection of task.waiting) connection?.destroy();
  // An open stream of events is not answered any more either.
  if (reach !== 'answered' && reach !== 'stale')
    for (const connection of task.subscribers.values()) connection?.destroy();
}
