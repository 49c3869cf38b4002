import type { Rest } from '../../../src/simulator/play.js';

/** Time that passes when a test says so. */
export class SteppedTime {
  /** Of all rests that are over, in ms. */
  passedMs = 0;
  readonly #resting = new Set<{ ms: number; go: () => void }>();

  readonly rest: Rest = (ms, signal) =>
    new Promise<void>((resolve, reject) => {
      const one = {
        ms,
        go: () => {
          signal.removeEventListener('abort', breakOff);
          resolve();
        },
      };
      const breakOff = (): void => {
        this.#resting.delete(one);
        reject(new Error('broken off'));
      };
      this.#resting.add(one);
      if (signal.aborted) breakOff();
      signal.addEventListener('abort', breakOff, { once: true });
    });

  /** How many rest now. */
  get resting(): number {
    return this.#resting.size;
  }

  /** Ends the rests under way. */
  pass(): void {
    for (const { ms, go } of this.#resting) {
      this.passedMs += ms;
      go();
    }
    this.#resting.clear();
  }
}
