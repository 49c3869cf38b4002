/** What was asked of a figure: at most or at least so much. */
export type Target = { atMost: number } | { atLeast: number };

interface Line {
  metric: string;
  value: number;
  unit: string;
  asked: string;
  met: boolean | null;
}

const lines: Line[] = [];

/** Prints a figure as a JSON line, and keeps it for the table. */
export function report(metric: string, value: number, unit: string, target?: Target): void {
  const rounded = Math.round(value * 10) / 10;
  const asked = !target ? '' : 'atMost' in target ? `at most ${target.atMost}` : `at least ${target.atLeast}`;
  const met = !target ? null : 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
  const line = { metric, value: rounded, unit, asked, met };
  lines.push(line);
  console.log(JSON.stringify(line));
}

/** All figures so far. */
export const printTable = (): void => {
  console.table(lines);
};

/** The value that so many percent of them do not exceed; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** p50 and p99 of times in ms. */
export function reportTimes(
  metric: string,
  times: readonly number[],
  targets: { p50?: number; p99?: number } = {},
): void {
  const { p50, p99 } = targets;
  report(`${metric}_p50`, percentile(times, 50), 'ms', p50 === undefined ? undefined : { atMost: p50 });
  report(`${metric}_p99`, percentile(times, 99), 'ms', p99 === undefined ? undefined : { atMost: p99 });
}
