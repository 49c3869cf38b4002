import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import type { Status } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { tokenFor } from '../../support/program.js';
import { judge, note, SEEN_WITHIN_MS, type Judged, type Task } from './judge.js';
import { addRow } from './table.js';

export interface TrialOptions {
  tasks?: number;
  /** The text of the n-th task. */
  text?: (n: number) => string;
  /** The fault happens once half of the tasks were seen at this progress or past it; until then the model keeps its answers back. */
  at?: number;
  /** Whether a start may fail in any way, and is tried until it does not; else it may be put off (503), as on a busy machine. */
  startsMayFail?: boolean;
  /** Once every client has seen its task's end, and before everything is looked at once more and judged. */
  afterwards?: () => Promise<void>;
}

const TASKS = 50;
const PER_OWNER = 5;
const GRANTED = 1_000_000;
const POLL_EVERY_MS = 500;

/**
 * Starts the tasks, lets `fault` happen to them, and watches each until its end. Then everything the service promises
 * must hold for every one of them; what was seen becomes a line of the table.
 */
export async function trial(
  world: Judged,
  name: string,
  fault: (tasks: Task[]) => Promise<void>,
  { tasks: count = TASKS, text = () => '', at, startsMayFail = false, afterwards }: TrialOptions = {},
): Promise<Task[]> {
  const run = randomUUID().slice(0, 8);
  const owners = Array.from({ length: Math.ceil(count / PER_OWNER) }, (_, n) => `${run}-owner-${n}`);
  await Promise.all(owners.map((owner) => world.api.open(owner, { tokens: GRANTED })));
  // On a slow machine the first tasks would else be over before the last ones are started.
  const release = at === undefined ? () => undefined : world.llm.hold();
  const watched: Promise<void>[] = [];
  const tasks: Task[] = [];
  const starting = Array.from({ length: count }, async (_, n) => {
    const owner = owners[n % owners.length]!;
    const task = await start(world, owner, `${text(n)} task ${n} of ${run}`.trim(), startsMayFail);
    tasks.push(task);
    watched.push(watch(world, task));
  });
  try {
    if (!startsMayFail) await Promise.all(starting);
    if (at !== undefined) await halfAreAt(tasks, at);
  } finally {
    release();
  }
  await fault(tasks);
  const overAt = Date.now();
  await Promise.all(starting);
  await Promise.all(watched);
  await afterwards?.();
  await Promise.all(tasks.map((task) => lookEverywhere(world, task)));

  const judged = await judge(world, owners, tasks);
  const seconds = (ms: number) => Math.round(ms / 100) / 10;
  addRow({
    fault: name,
    tasks: tasks.length,
    completed: tasks.filter(({ last }) => last?.status === 'completed').length,
    lost: judged.lost.length,
    stuck: judged.stuck.length,
    'double charged': judged.money.length,
    '503 or no answer': tasks.reduce((sum, { unanswered }) => sum + unanswered, 0),
    'longest recovery, s': seconds(Math.max(0, ...tasks.map(({ endedAt }) => (endedAt ?? Date.now()) - overAt))),
    'longest task, s': seconds(Math.max(...tasks.map(({ endedAt, startedAt }) => (endedAt ?? Date.now()) - startedAt))),
  });
  assert.deepEqual(judged, { lost: [], stuck: [], money: [] }, name);
  return tasks;
}

async function start(world: Judged, owner: string, text: string, mayFail: boolean): Promise<Task> {
  const headers = { 'Idempotency-Key': text };
  let unanswered = 0;
  // The same key for each try, so that however many get through there is one task.
  const begun = await eventually(() => world.api.start(owner, text, headers), {
    timeoutMs: CLIENT_LIMIT_MS,
    everyMs: 1_000,
    onlyAfter(error) {
      unanswered += 1;
      return mayFail || isPutOff(error);
    },
  });
  const { task_id: id, status_url: statusUrl } = begun;
  return { owner, text, id, statusUrl, startedAt: Date.now(), wrong: [], unanswered };
}

const isPutOff = (error: unknown): boolean => String(error).includes(' answered 503: ');

/** Polls as a page does, at whichever API answers, until the end was seen or had to be. */
async function watch(world: Judged, task: Task): Promise<void> {
  const headers = await bearerOf(task);
  while (task.endedAt === undefined && Date.now() < task.startedAt + SEEN_WITHIN_MS) {
    await look(world, task, headers);
    await rest(POLL_EVERY_MS);
  }
}

/** What was told as the end stays the end, at every API. */
async function lookEverywhere(world: Judged, task: Task): Promise<void> {
  const headers = await bearerOf(task);
  for (const _ of world.apis) await look(world, task, headers);
}

const bearerOf = async ({ owner }: Task) => ({ Authorization: `Bearer ${await tokenFor(owner)}` });

async function look(world: Judged, task: Task, headers: Record<string, string>): Promise<void> {
  let answer: Response;
  let now: Status;
  try {
    answer = await fetch(world.nextUrl() + task.statusUrl, { headers, signal: AbortSignal.timeout(10_000) });
    now = (await answer.json()) as Status;
  } catch {
    task.unanswered += 1;
    return;
  }
  note(task, answer.status, now);
}

/** Waits until half of the tasks were seen at this progress or past it, but not at their end. */
const halfAreAt = (tasks: Task[], progress: number): Promise<void> =>
  eventually(
    () => {
      const seen = tasks.map(({ last }) => last?.progress ?? 0);
      const there = seen.filter((now) => now >= progress && now < 100).length;
      assert.ok(there >= tasks.length / 2, `${there} tasks are at ${progress} or past it: ${seen.join(', ')}`);
    },
    { timeoutMs: 50_000, everyMs: 20 },
  );
