import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderDocs } from '../../src/api/service/docs.js';
import { promtool } from '../support/promtool.js';
import { ownMetrics, processMetrics, sdkMetrics, seriesOf } from './metric-names.js';

const ALERTS = readFileSync('ops/prometheus/alerts.yml', 'utf8');
const TESTS = readFileSync('ops/prometheus/alerts.test.yml', 'utf8');

interface Panel {
  title: string;
  type: string;
  description?: string;
  targets?: { expr: string }[];
}
const { panels } = JSON.parse(readFileSync('ops/grafana/dashboard.json', 'utf8')) as { panels: Panel[] };
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** What a series may be called: ours, of the process, of the SDK, and what Prometheus says of its targets. */
const known = new Set([
  'up',
  ...ownMetrics().flatMap(seriesOf),
  ...processMetrics(),
  ...sdkMetrics().flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]),
]);

/** The names of series in a query: words that are neither a function, an operator nor a label. */
const namesIn = (query: string): string[] =>
  [
    ...query
      .replaceAll(/"[^"]*"/g, '')
      .replaceAll(/\{[^}]*\}/g, '')
      .replaceAll(/\[[^\]]*\]/g, '')
      .replaceAll(/\b(by|without|on|ignoring) ?\([^)]*\)/g, '')
      .matchAll(/\b([a-z_][a-z0-9_]*)\b(?! *\()/g),
  ]
    .map(([, name = '']) => name)
    .filter((name) => !/^(and|or|unless|by|le|e)$/.test(name));

describe('The alerts', () => {
  const names = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  const rules = ALERTS.split(/^ {6}- alert: /m).slice(1);

  it('are what Prometheus takes, and its configuration too', async () => {
    await promtool('check', 'config', 'ops/prometheus/prometheus.yml');
  });

  it('fire when they should, and only then', async () => {
    assert.ok(names.length >= 15, `only ${names.length} alerts`);
    await promtool('test', 'rules', 'ops/prometheus/alerts.test.yml');
  });

  it('each have a case in which they fire, and one in which they do not', () => {
    for (const name of names) {
      assert.match(TESTS, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n +- exp_labels`), `${name} never fires`);
      assert.match(TESTS, new RegExp(`alertname: ${name}, exp_alerts: \\[\\]`), `${name} always fires`);
    }
  });

  it('each lead to a section of the runbook that is there', () => {
    const page = renderDocs(readFileSync('docs/runbook.md', 'utf8'), { template: '{{content}}', title: '' });
    for (const rule of rules) {
      const [, anchor] = /runbook_url: docs\/runbook\.md#([\w-]+)\n/.exec(rule) ?? [];
      assert.ok(anchor !== undefined, `no runbook_url: ${rule}`);
      assert.ok(page.includes(`id="${anchor}"`), `the runbook has no #${anchor}`);
    }
  });

  it('ask only for metrics that there are', () => {
    const asked = rules.flatMap((rule) => namesIn(/expr: \|?\s*([\s\S]*?)\n {8}(?:for|labels):/.exec(rule)![1]!));
    assert.ok(new Set(asked).size >= 10, `only ${asked.join(', ')}`);
    assert.deepEqual(
      asked.filter((name) => !known.has(name)),
      [],
    );
  });
});

describe('The dashboard', () => {
  it('asks only for metrics that there are', () => {
    assert.ok(queries.length >= 25, `only ${queries.length} queries`);
    const unknown = queries.flatMap(({ title, expr }) =>
      namesIn(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${title}: ${name}`),
    );
    assert.deepEqual(unknown, []);
  });

  it('shows every metric of ours', () => {
    const asked = new Set(queries.flatMap(({ expr }) => namesIn(expr)));
    const missing = ownMetrics().filter((metric) => !seriesOf(metric).some((series) => asked.has(series)));
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  it('says of each panel what it shows', () => {
    const silent = panels.filter(({ type, description }) => type !== 'row' && !description);
    assert.deepEqual(silent, []);
  });

  it('asks what Prometheus can read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
    try {
      const file = join(folder, 'queries.yml');
      const rules = queries.map(({ expr }, n) => ({
        record: `dashboard:query_${n}`,
        expr: expr.replaceAll('$__rate_interval', '5m'),
      }));
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      assert.match(await promtool('check', 'rules', file), new RegExp(`${queries.length} rules found`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
