import type { World } from '../../test/faults/support/world.js';
import { residentMb } from '../processes.js';

interface Life {
  name: string;
  samples: { at: number; mb: number; runs: number }[];
}

interface Watched {
  name: string;
  pid: number;
  /** Of a worker, where it serves its metrics. */
  metricsPort?: string | undefined;
}

/** What a process has of memory while it warms up says nothing of how it will grow: left out, as a part of the whole run. */
const WARM_UP = 1 / 20;
/** A process that lived for less of the run is not judged. */
const LONG = 0.4;
const MAX_GROWTH_PERCENT = 10;

/** The resident memory of every API and worker, process by process; with it how many runs a worker has in its cache. */
export class Memory {
  readonly #lives = new Map<number, Life>();

  constructor(
    readonly world: World,
    /** Of each worker. */
    readonly metricsPorts: string[],
  ) {}

  async sample(): Promise<void> {
    const { apis, workers } = this.world;
    const all: Watched[] = [
      ...apis.map(({ program }, n) => ({ name: `api ${n + 1}`, pid: program.pid() })),
      ...workers.map((program, n) => ({
        name: `worker ${n + 1}`,
        pid: program.pid(),
        metricsPort: this.metricsPorts[n],
      })),
    ];
    for (const { name, pid, metricsPort } of all) {
      const [mb, runs] = await Promise.all([residentMb(pid), metricsPort === undefined ? 0 : cachedRuns(metricsPort)]);
      if (mb === undefined || runs === undefined) continue;
      const life = this.#lives.get(pid) ?? { name, samples: [] };
      life.samples.push({ at: Date.now(), mb, runs });
      this.#lives.set(pid, life);
    }
  }

  /** Of those that lived long: the median of the first quarter of their time against that of the last one. */
  judge(runMs: number) {
    return [...this.#lives.values()].flatMap(({ name, samples }) => {
      const [first, last] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 0];
      if (last - first < LONG * runMs) return [];
      const warm = first + WARM_UP * runMs;
      const quarter = (last - warm) / 4;
      const earlier = samples.filter(({ at }) => at >= warm && at <= warm + quarter);
      const later = samples.filter(({ at }) => at >= last - quarter);
      const before = median(earlier.map(({ mb }) => mb));
      const after = median(later.map(({ mb }) => mb));
      const growth = Math.round((after / before - 1) * 1_000) / 10;
      const minutes = Math.round((last - first) / 6_000) / 10;
      return [
        {
          process: name,
          minutes,
          first_quarter_mb: before,
          last_quarter_mb: after,
          first_quarter_runs: median(earlier.map(({ runs }) => runs)),
          last_quarter_runs: median(later.map(({ runs }) => runs)),
          growth_percent: growth,
          at_most: MAX_GROWTH_PERCENT,
          met: growth <= MAX_GROWTH_PERCENT,
        },
      ];
    });
  }
}

/** Undefined: it can't be asked now. */
async function cachedRuns(metricsPort: string): Promise<number | undefined> {
  const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  );
  const sizes = [...metrics.matchAll(/^temporal_sticky_cache_size\{.*\} (\d+)$/gm)].map(([, size]) => Number(size));
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
