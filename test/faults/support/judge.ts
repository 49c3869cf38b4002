import assert from 'node:assert/strict';
import pg from 'pg';
import { CLIENT_LIMIT_MS } from '../../../src/contract/limits.js';
import type { Status } from '../../support/api-client.js';
import type { World } from './world.js';

/** A client gives up then, and has to have seen the end before, which comes 10 s earlier at the latest. */
export const SEEN_WITHIN_MS = CLIENT_LIMIT_MS;

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
  /** Starts and polls that nobody could answer, and 503s. */
  unanswered: number;
}

/** What one answer to a poll tells of the task. */
export function note(task: Task, status: number, now: Status): void {
  if (status === 503) {
    task.unanswered += 1;
    return;
  }
  if (status !== 200) {
    task.wrong.push(`answered ${status}`);
    return;
  }
  const before = task.last;
  if (before && now.progress < before.progress)
    task.wrong.push(`progress went back from ${JSON.stringify(before)} to ${JSON.stringify(now)}`);
  if (before?.progress === 100 && describe(before) !== describe(now))
    task.wrong.push(`ended as ${describe(before)}, then as ${describe(now)}`);
  if (now.progress === 100) task.endedAt ??= Date.now();
  task.last = now;
}

const describe = ({ status, error_code, generated_by_ai, tokens }: Status): string =>
  JSON.stringify({ status, error_code, generated_by_ai, charged: tokens?.charged });

/** What a trial needs of the world it happens in. */
export type Judged = Pick<World, 'api' | 'nextUrl' | 'databaseUrl' | 'llm'> & { apis: readonly unknown[] };

/** What is wrong with which task, by what its client saw and by what the database holds. */
export async function judge(world: Judged, owners: string[], tasks: Task[]) {
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
function wrongCharge(world: Pick<Judged, 'llm'>, { id, text, last }: Task, charges: number[]) {
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
