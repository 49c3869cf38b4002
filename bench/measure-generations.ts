import { setTimeout as rest } from 'node:timers/promises';
import { readActions, actionsEach } from '../test/rehearsal/support/cost.js';
import { GENERATE_PATH } from '../src/contract/names.js';
import { processorMs } from './processes.js';
import { report, reportTimes } from './report.js';
import type { Subject } from './subject.js';

const STARTS = 300;
const RUNS = 200;
const CLIENTS = 64;
const BUSY_MS = 20_000;
/** Counted by the server for itself, but not by what is billed (docs/production.md). */
const NOT_BILLED = ['command_ModifyWorkflowProperties'];
/** The server tells its figures every second. */
const STEADY_MS = 3_000;

/** How long a start takes, and a whole generation whose model answers at once; how many of them a second, and what each costs. */
export async function measureGenerations(subject: Subject): Promise<void> {
  const posts: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    const { ms, body } = await subject.post(n);
    posts.push(ms);
    await subject.untilEnded({ url: String(body.status_url), bearer: subject.bearerOf(n) });
  }
  reportTimes('post', posts, { p50: 5 });

  // By the blocking endpoint: polls in between would be measured too.
  const ends: number[] = [];
  const before = await actionsOf(subject);
  for (let n = 0; n < RUNS; n += 1) ends.push((await subject.post(n, GENERATE_PATH)).ms);
  reportTimes('post_to_completed', ends, { p50: 45 });
  const actions = Object.entries(actionsEach(before, await actionsOf(subject), RUNS));
  const billed = actions.filter(([type]) => !NOT_BILLED.includes(type)).reduce((sum, [, each]) => sum + each, 0);
  report('temporal_actions_of_a_generation', billed, 'actions');

  const busy: number[] = [];
  const used = () => Promise.all([subject.service.pid, subject.temporal.pid].map(processorMs));
  const [beganMs, usedBefore] = [performance.now(), await used()];
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      while (performance.now() < beganMs + BUSY_MS) busy.push((await subject.post(client, GENERATE_PATH)).ms);
    }),
  );
  const seconds = (performance.now() - beganMs) / 1_000;
  const usedAfter = await used();
  report(`completions_of_${CLIENTS}_clients`, busy.length / seconds, 'a second', { atLeast: 60 });
  reportTimes(`post_to_completed_of_${CLIENTS}_clients`, busy);
  for (const [n, name] of ['service', 'temporal'].entries())
    report(`processor_of_a_generation_${name}`, ((usedAfter[n] ?? 0) - (usedBefore[n] ?? 0)) / busy.length, 'ms');
}

/** Once they stand still. */
async function actionsOf({ temporalMetricsUrl, temporal }: Subject) {
  const read = () => readActions(temporalMetricsUrl, temporal.namespace);
  for (let last = await read(); ;) {
    await rest(STEADY_MS);
    const now = await read();
    if (JSON.stringify(now) === JSON.stringify(last)) return now;
    last = now;
  }
}
