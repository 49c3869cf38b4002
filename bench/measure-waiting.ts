import assert from 'node:assert/strict';
import { setTimeout as rest } from 'node:timers/promises';
import { residentMb } from './processes.js';
import { report, reportTimes } from './report.js';
import type { Subject } from './subject.js';

const WAITING = 2_000;
/** The first ones wait for the model for 80 s, then they get the fallback. */
const STARTING_MS = 55_000;
const POLL_SECONDS = 15;

/** As many generations as this in their call of the model at once, or as many as can be started in time, each polled once a second. */
export async function measureWaiting(subject: Subject): Promise<void> {
  const tasks = await subject.hold(WAITING, STARTING_MS);
  const waiting = tasks.length;
  report('waiting_at_once', waiting, 'tasks', { atLeast: WAITING });
  const polls: ReturnType<typeof subject.poll>[] = [];
  const began = performance.now();
  for (let n = 0; n < waiting * POLL_SECONDS; n += 1) {
    const dueIn = began + (n * 1_000) / waiting - performance.now();
    if (dueIn > 0) await rest(dueIn);
    polls.push(subject.poll(tasks[n % waiting] ?? assert.fail()));
  }
  const answers = await Promise.all(polls);
  reportTimes(
    'poll_of_waiting',
    answers.map(({ ms }) => ms),
    { p99: 50 },
  );
  report('stale_polls_of_waiting', answers.filter(({ body }) => body.stale).length, 'polls', {
    atMost: 0,
  });
  report('resident_memory_with_waiting', (await residentMb(subject.service.pid)) ?? NaN, 'MB', {
    atMost: 600,
  });
  subject.letGo();
  await Promise.all(tasks.map((task) => subject.untilEnded(task, 1_000)));
}
