import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Row = Record<string, string | number>;

const FOLDER = 'FAULTS_TABLE_FOLDER';

/** Test files run in processes of their own: what each has found is collected in a file. */
export const openTable = (): void => void (process.env[FOLDER] = mkdtempSync(join(tmpdir(), 'faults-table-')));

const file = (): string => {
  const folder = process.env[FOLDER];
  if (folder === undefined) throw new Error('Run these tests by npm run test:faults');
  return join(folder, 'rows');
};

export const addRow = (row: Row): void => {
  appendFileSync(file(), `${JSON.stringify(row)}\n`);
};

/** Everything found, as one table. */
export function printTable(): void {
  const rows = readFileSync(file(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, n) => Math.max(...cells.map((line) => line[n]?.length ?? 0)));
  for (const line of cells) {
    const padded = line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)));
    process.stdout.write(`${padded.join('  ')}\n`);
  }
  rmSync(join(file(), '..'), { recursive: true });
}
