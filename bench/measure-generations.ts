import { GENERATE_PATH } from '../src/contract/names.js';
import { report, reportTimes } from './report.js';
import type { Subject } from './subject.js';

const STARTS = 300;
const RUNS = 200;
const CLIENTS = 64;
const BUSY_MS = 20_000;

/** How long a start takes, and a whole generation whose model answers at once; and how many of them a second. */
export async function measureGenerations(subject: Subject): Promise<void> {
  const posts: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    const { ms, body } = await subject.post();
    posts.push(ms);
    await subject.untilEnded(String(body.status_url));
  }
  reportTimes('post', posts, { p50: 5 });

  // By the blocking endpoint: polls in between would be measured too.
  const ends: number[] = [];
  for (let n = 0; n < RUNS; n += 1) ends.push((await subject.post(GENERATE_PATH)).ms);
  reportTimes('post_to_completed', ends, { p50: 45 });

  const busy: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < began + BUSY_MS) busy.push((await subject.post(GENERATE_PATH)).ms);
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  report(`completions_of_${CLIENTS}_clients`, busy.length / seconds, 'a second', { atLeast: 60 });
  reportTimes(`post_to_completed_of_${CLIENTS}_clients`, busy);
}
