import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { START_OUTCOMES } from '../../src/metrics/api-metrics.js';
import { READ_SOURCES } from '../../src/generations/read-source.js';
import { ownMetrics } from '../ops/metric-names.js';

const DOCS = readFileSync('docs/metrics.md', 'utf8');

describe('docs/metrics.md', () => {
  it('names the metrics that there are, each with its type and its labels, and no others', () => {
    const rows = [...DOCS.matchAll(/^\| `(\w+)` +\| (\w+) +\|([^|]*)\|/gm)].map(([, name, type, labels = '']) => ({
      name,
      type,
      labels: labels.match(/\w+/g) ?? [],
    }));
    const byName = (one: { name?: string | undefined }, other: { name?: string | undefined }) =>
      (one.name ?? '') < (other.name ?? '') ? -1 : 1;
    assert.deepEqual(rows.sort(byName), ownMetrics().sort(byName));
  });

  it('names every outcome of a start, and every source of a status', () => {
    for (const value of [...START_OUTCOMES, ...READ_SOURCES]) assert.ok(DOCS.includes(`\`${value}\``), value);
  });

  it('has no label that could be an owner, a task or a text', () => {
    const labels = new Set(ownMetrics().flatMap((metric) => metric.labels));
    const allowed = [
      'activity',
      'error_code',
      'kind',
      'method',
      'outcome',
      'route',
      'source',
      'state',
      'status',
      'what',
    ];
    assert.deepEqual([...labels].sort(), allowed);
  });

  it('names files that there are', () => {
    const files = [...DOCS.matchAll(/\]\(\.\.\/(ops[^)]*)\)/g)].map(([, file = '']) => file);
    assert.ok(files.length >= 5, `only ${files.length} files`);
    assert.deepEqual(
      files.filter((file) => !existsSync(file)),
      [],
    );
  });
});
