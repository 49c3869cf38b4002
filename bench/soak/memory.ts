import type { World } from '../../test/faults/support/world.js';
import { residentMb } from '../processes.js';

interface Life {
  name: string;
  samples: { at: number; mb: number }[];
}

/** What a process has of memory while it warms up says nothing of how it will grow: left out, as a part of the whole run. */
const WARM_UP = 1 / 20;
/** A process that lived for less of the run is not judged. */
const LONG = 0.4;
const MAX_GROWTH_PERCENT = 10;

/** The resident memory of every API and worker, process by process. */
export class Memory {
  readonly #lives = new Map<number, Life>();

  constructor(readonly world: World) {}

  async sample(): Promise<void> {
    const { apis, workers } = this.world;
    const all = [
      ...apis.map(({ program }, n) => ({ name: `api ${n + 1}`, pid: program.pid() })),
      ...workers.map((program, n) => ({ name: `worker ${n + 1}`, pid: program.pid() })),
    ];
    for (const { name, pid } of all) {
      const mb = await residentMb(pid);
      if (mb === undefined) continue;
      const life = this.#lives.get(pid) ?? { name, samples: [] };
      life.samples.push({ at: Date.now(), mb });
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
      const before = median(samples.filter(({ at }) => at >= warm && at <= warm + quarter).map(({ mb }) => mb));
      const after = median(samples.filter(({ at }) => at >= last - quarter).map(({ mb }) => mb));
      const growth = Math.round((after / before - 1) * 1_000) / 10;
      const minutes = Math.round((last - first) / 6_000) / 10;
      return [
        {
          process: name,
          minutes,
          first_quarter_mb: before,
          last_quarter_mb: after,
          growth_percent: growth,
          at_most: MAX_GROWTH_PERCENT,
          met: growth <= MAX_GROWTH_PERCENT,
        },
      ];
    });
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
