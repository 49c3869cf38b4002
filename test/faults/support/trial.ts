import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import pg from 'pg';
import { CLIENT_LIMIT_MS, WORKFLOW_TIMEOUT_MS } from '../../../src/contract/limits.js';
import type { Status } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { tokenFor } from '../../support/program.js';
import { addRow } from './table.js';
import type { World } from './world.js';

/** One generation of a trial, watched by a client that polls it until its end. */
export interface Task {
  owner: string;
  text: string;
  id: string;
  statusUrl: string;
  startedAt: number;
  /** What the last poll said. */
  last?: Status;
  /** When a poll first said that it had ended. */
  endedAt?: number;
  /** What must never be seen: a status that goes back, a 404, an error of the service. */
  wrong: string[];
  /** Polls that nobody could answer, and 503s. */
  unanswered: number;
}

export interface TrialOptions {
  tasks?: number;
  /** The text of the n-th task. */
  text?: (n: number) => string;
  /** Whether every start must be answered with 202 at once; else it is tried until it is. */
  startsMayFail?: boolean;
  /** Once every client has seen its task's end, and before everything is looked at once more and judged. */
  afterwards?: () => Promise<void>;
}

const TASKS = 50;
const PER_OWNER = 5;
const GRANTED = 1_000_000;
const POLL_EVERY_MS = 500;
/** A client has to see the end that came in time: its polls have an interval and a way to go. */
const SEEN_WITHIN_MS = WORKFLOW_TIMEOUT_MS + 5_000;

/**
 * Starts the tasks, lets `fault` happen to them, and watches each until its end. Then everything the service promises
 * must hold for every one of them; what was seen becomes a line of the table.
 */
export async function trial(
  world: World,
  name: string,
  fault: (tasks: Task[]) => Promise<void>,
  { tasks: count = TASKS, text = () => '', startsMayFail = false, afterwards }: TrialOptions = {},
): Promise<Task[]> {
  const run = randomUUID().slice(0, 8);
  const owners = Array.from({ length: Math.ceil(count / PER_OWNER) }, (_, n) => `${run}-owner-${n}`);
  await Promise.all(owners.map((owner) => world.api.open(owner, { tokens: GRANTED })));
  const watched: Promise<void>[] = [];
  const tasks: Task[] = [];
  const starting = Array.from({ length: count }, async (_, n) => {
    const owner = owners[n % owners.length]!;
    const task = await start(world, owner, `${text(n)} task ${n} of ${run}`.trim(), startsMayFail);
    tasks.push(task);
    watched.push(watch(world, task));
  });
  if (!startsMayFail) await Promise.all(starting);
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

async function start(world: World, owner: string, text: string, mayFail: boolean): Promise<Task> {
  const headers = { 'Idempotency-Key': text };
  // A try of its own for each; the same key, so that however many get through there is one task.
  const attempt = () => world.api.start(owner, text, headers);
  const begun = await (mayFail ? eventually(attempt, { timeoutMs: CLIENT_LIMIT_MS, everyMs: 1_000 }) : attempt());
  const { task_id: id, status_url: statusUrl } = begun;
  return { owner, text, id, statusUrl, startedAt: Date.now(), wrong: [], unanswered: 0 };
}

/** Polls as a page does, at whichever API answers, until the end was seen or had to be. */
async function watch(world: World, task: Task): Promise<void> {
  const headers = await bearerOf(task);
  while (task.endedAt === undefined && Date.now() < task.startedAt + SEEN_WITHIN_MS) {
    await look(world, task, headers);
    await rest(POLL_EVERY_MS);
  }
}

/** What was told as the end stays the end, at every API. */
async function lookEverywhere(world: World, task: Task): Promise<void> {
  const headers = await bearerOf(task);
  for (const _ of world.apis) await look(world, task, headers);
}

const bearerOf = async ({ owner }: Task) => ({ Authorization: `Bearer ${await tokenFor(owner)}` });

async function look(world: World, task: Task, headers: Record<string, string>): Promise<void> {
  let answer: Response;
  let now: Status;
  try {
    answer = await fetch(world.nextUrl() + task.statusUrl, { headers, signal: AbortSignal.timeout(10_000) });
    now = (await answer.json()) as Status;
  } catch {
    task.unanswered += 1;
    return;
  }
  if (answer.status === 503) {
    task.unanswered += 1;
    return;
  }
  if (answer.status !== 200) {
    task.wrong.push(`answered ${answer.status}`);
    return;
  }
  const before = task.last;
  if (before && now.progress < before.progress)
    task.wrong.push(`progress went back from ${before.progress} to ${now.progress}`);
  if (before?.progress === 100 && describe(before) !== describe(now))
    task.wrong.push(`ended as ${describe(before)}, then as ${describe(now)}`);
  if (now.progress === 100) task.endedAt ??= Date.now();
  task.last = now;
}

const describe = ({ status, error_code, generated_by_ai, tokens }: Status): string =>
  JSON.stringify({ status, error_code, generated_by_ai, charged: tokens?.charged });

/** What is wrong with which task, by what its client saw and by what the database holds. */
async function judge(world: World, owners: string[], tasks: Task[]) {
  const { charges, broken } = await readMoney(world.databaseUrl, owners);
  return {
    lost: tasks.filter(({ wrong }) => wrong.length > 0).map(({ id, wrong }) => ({ id, wrong })),
    stuck: tasks
      .filter(({ endedAt, startedAt }) => endedAt === undefined || endedAt - startedAt > SEEN_WITHIN_MS)
      .map(({ id, last }) => ({ id, last })),
    money: [...broken, ...tasks.flatMap((task) => wrongCharge(world, task, charges.get(task.id) ?? []))],
  };
}

/** A completed task costs exactly what the model counted, once; any other one nothing. */
function wrongCharge(world: World, { id, text, last }: Task, charges: number[]) {
  const byAi = last?.status === 'completed' && last.generated_by_ai === true;
  const due = byAi ? [world.llm.usageOf(text)] : [];
  const told = last?.tokens?.charged ?? 0;
  const right = JSON.stringify(charges) === JSON.stringify(due) && told === (due[0] ?? 0);
  return right ? [] : [{ id, due, charges, told }];
}

interface AccountRow {
  owner: string;
  balance: string;
  entries: string;
  held: string;
  open: string;
}

/** Each task's charges; and every account whose balance is not the sum of its entries, or that still holds something. */
async function readMoney(databaseUrl: string, owners: string[]) {
  const database = new pg.Client(databaseUrl);
  await database.connect();
  try {
    const accounts = await database.query<AccountRow>(
      `SELECT owner, balance, held,
         (SELECT coalesce(sum(tokens), 0)::bigint FROM entries e WHERE e.owner = a.owner) AS entries,
         (SELECT count(*) FROM open_holds h WHERE h.owner = a.owner) AS open
       FROM accounts a WHERE owner = ANY ($1)`,
      [owners],
    );
    assert.equal(accounts.rowCount, owners.length);
    const entries = await database.query<{ task_id: string; tokens: string }>(
      "SELECT task_id, tokens FROM entries WHERE owner = ANY ($1) AND type = 'charge'",
      [owners],
    );
    const charges = new Map<string, number[]>();
    for (const { task_id, tokens } of entries.rows)
      charges.set(task_id, [...(charges.get(task_id) ?? []), -Number(tokens)]);
    const broken = accounts.rows.filter(
      ({ balance, entries: sum, held, open }) => balance !== sum || held !== '0' || open !== '0',
    );
    return { charges, broken };
  } finally {
    await database.end();
  }
}

/** Waits until that many of the tasks were seen at this progress or past it, but not at their end. */
export const untilAt = (tasks: Task[], progress: number, atLeast: number): Promise<void> =>
  eventually(
    () => {
      const there = tasks.filter(({ last }) => last && last.progress >= progress && last.progress < 100).length;
      assert.ok(there >= atLeast, `only ${there} tasks are at ${progress} or past it`);
    },
    { timeoutMs: 30_000, everyMs: 20 },
  );
