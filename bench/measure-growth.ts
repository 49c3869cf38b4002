import { setTimeout as rest } from 'node:timers/promises';
import { repeat } from '../src/repeat.js';
import { processorMs, residentMb } from './processes.js';
import { percentile, report } from './report.js';
import { SLOW, type Subject } from './subject.js';

export const TASKS = [1, 10, 100, 1_000, 5_000];
const POLL_EVERY_MS = 1_000;
const SAMPLE_EVERY_MS = 500;

/**
 * So many clients come at the same moment, for a generation whose model takes 7 s, and poll each second until its end. Who
 * is refused, as there is too much to do, comes again.
 */
export async function measureGrowth(subject: Subject): Promise<void> {
  for (const count of TASKS) await measureOne(subject, count);
}

async function measureOne(subject: Subject, count: number): Promise<void> {
  const parts = { service: subject.service.pid, temporal: subject.temporal.pid };
  const began = performance.now();
  const usedBefore = (await processorMs(parts.service)) + (await processorMs(parts.temporal));
  const peaks = { service: 0, temporal: 0 };
  const stopSampling = repeat(SAMPLE_EVERY_MS, async () => {
    for (const part of ['service', 'temporal'] as const)
      peaks[part] = Math.max(peaks[part], (await residentMb(parts[part])) ?? 0);
  });

  const polls: number[] = [];
  const lasted: number[] = [];
  let byAi = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const task = await subject.startPatiently(n, SLOW);
      const startedAt = performance.now();
      for (;;) {
        await rest(POLL_EVERY_MS);
        const { ms, body } = await subject.poll(task);
        polls.push(ms);
        if (body.progress !== 100) continue;
        if (body.generated_by_ai === true) byAi += 1;
        break;
      }
      lasted.push(performance.now() - startedAt);
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  await stopSampling();

  const used = (await processorMs(parts.service)) + (await processorMs(parts.temporal)) - usedBefore;
  const of = `_of_${count}_tasks`;
  report(`until_the_last_end${of}`, seconds, 's');
  report(`from_start_to_end_p50${of}`, percentile(lasted, 50) / 1_000, 's');
  report(`completed_by_the_model${of}`, byAi, 'tasks');
  report(`processor${of}`, used / 1_000 / seconds, 'cores');
  report(`poll_p99${of}`, percentile(polls, 99), 'ms');
  report(`memory_service${of}`, peaks.service, 'MB');
  report(`memory_temporal${of}`, peaks.temporal, 'MB');
}
