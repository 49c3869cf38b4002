import type { World } from '../../test/faults/support/world.js';
import { residentMb } from '../processes.js';

interface Sample {
  at: number;
  /** Resident memory. */
  mb: number;
  /** What its main thread's objects and buffers take, with what waits to be collected. */
  heapMb: number;
  /** How many runs a worker has in its cache. */
  runs: number;
}

interface Life {
  name: string;
  samples: Sample[];
}

/** What a process has of memory while it warms up says nothing of how it will grow: left out, as a part of the whole run. */
const WARM_UP = 1 / 20;
/** A process that lived for less of the run is not judged. */
const LONG = 0.4;
const MAX_GROWTH_PERCENT = 10;
const MB = 1024 * 1024;

/**
 * The memory of every API and worker, process by process. V8 collects the later the more there is, so that resident memory
 * grows for long without any leak: judged is the least that the heap came to in a while, which is what was left after a
 * collection. Resident memory stands beside it, as the thread of the workflows has a heap of its own.
 */
export class Memory {
  readonly #lives = new Map<number, Life>();

  constructor(
    readonly world: World,
    /** Where each API and each worker serves its metrics. */
    readonly metricsPorts: { apis: string[]; workers: string[] },
  ) {}

  async sample(): Promise<void> {
    const { apis, workers } = this.world;
    const all = [
      ...apis.map(({ program }, n) => ({ name: `api ${n + 1}`, pid: program.pid(), port: this.metricsPorts.apis[n] })),
      ...workers.map((program, n) => ({
        name: `worker ${n + 1}`,
        pid: program.pid(),
        port: this.metricsPorts.workers[n],
      })),
    ];
    for (const { name, pid, port } of all) {
      const [mb, metrics] = await Promise.all([residentMb(pid), scrape(port ?? '')]);
      if (mb === undefined || metrics === '') continue;
      const objects = valueOf(metrics, 'nodejs_heap_size_used_bytes');
      const heapMb = Math.round((objects + valueOf(metrics, 'nodejs_external_memory_bytes')) / MB);
      const runs = name.startsWith('worker') ? valueOf(metrics, 'temporal_sticky_cache_size') : 0;
      const life = this.#lives.get(pid) ?? { name, samples: [] };
      life.samples.push({ at: Date.now(), mb, heapMb, runs });
      this.#lives.set(pid, life);
    }
  }

  /** Of those that lived long: the first quarter of their time against the last one. */
  judge(runMs: number) {
    return [...this.#lives.values()].flatMap(({ name, samples }) => {
      const [first, last] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 0];
      if (last - first < LONG * runMs) return [];
      const warm = first + WARM_UP * runMs;
      const quarter = (last - warm) / 4;
      const earlier = samples.filter(({ at }) => at >= warm && at <= warm + quarter);
      const later = samples.filter(({ at }) => at >= last - quarter);
      const least = (part: Sample[]) => Math.min(...part.map(({ heapMb }) => heapMb));
      const growth = Math.round((least(later) / least(earlier) - 1) * 1_000) / 10;
      const medians = (key: keyof Sample) =>
        [earlier, later].map((part) => median(part.map((sample) => sample[key]))).join(' to ');
      return [
        {
          process: name,
          minutes: Math.round((last - first) / 6_000) / 10,
          heap_mb: `${least(earlier)} to ${least(later)}`,
          growth_percent: growth,
          at_most: MAX_GROWTH_PERCENT,
          met: growth <= MAX_GROWTH_PERCENT,
          resident_mb: medians('mb'),
          cached_runs: medians('runs'),
        },
      ];
    });
  }
}

/** Empty: it can't be asked now. */
const scrape = (port: string): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  );

/** The largest value of a metric. */
function valueOf(metrics: string, name: string): number {
  const lines = metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? ([\\d.e+]+)$`, 'gm'));
  return Math.max(0, ...[...lines].map(([, value]) => Number(value)));
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
