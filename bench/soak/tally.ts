import type { Phase } from './timeline.js';

export type Kind = 'start' | 'poll';

const GOOD = ['202', '200', '200 stale'];
/** What the contract announces for a service that has too much to do. */
const ANNOUNCED = ['429', '503 overloaded'];

/** Answers that no request may get but while a fault lasts. */
const isFailure = (answer: string): boolean => !GOOD.includes(answer) && !ANNOUNCED.includes(answer);

/** What the requests were answered, and how long that took. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #times = new Map<string, number[]>();
  /** The first failures outside faults, to find out what went wrong. */
  readonly failures: object[] = [];
  failedOutsideFaults = 0;

  /** `ms`: since the request was due, so that a service that holds up its clients does not look fast. */
  add(kind: Kind, phase: Phase, answer: string, ms: number): void {
    const key = `${kind} ${phase} ${answer}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    const times = this.#times.get(`${kind} ${phase}`) ?? [];
    times.push(ms);
    this.#times.set(`${kind} ${phase}`, times);
    if (phase === 'fault' || !isFailure(answer)) return;
    this.failedOutsideFaults += 1;
    if (this.failures.length < 20) this.failures.push({ at: new Date().toISOString(), kind, phase, answer });
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** p50 and p99 in ms, by kind and phase. */
  latencies(): Record<string, { p50: number; p99: number; count: number }> {
    return Object.fromEntries(
      [...this.#times].sort(([a], [b]) => a.localeCompare(b)).map(([key, times]) => [key, summary(times)]),
    );
  }
}

function summary(times: number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (percent: number) => Math.round((sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN) * 10) / 10;
  return { p50: at(50), p99: at(99), count: sorted.length };
}
