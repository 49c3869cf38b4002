import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import type { Registry } from 'prom-client';
import { createApiMetrics } from '../../src/metrics/api-metrics.js';
import { createEndMetrics } from '../../src/metrics/end-metrics.js';
import { addLedgerMetrics } from '../../src/metrics/ledger-metrics.js';
import { createRegistry } from '../../src/metrics/registry.js';
import { createWorkerMetrics } from '../../src/metrics/worker-metrics.js';

/** A metric of ours as the registry has it. */
export interface KnownMetric {
  name: string;
  type: string;
  labels: string[];
}

/** Every metric of an API and a worker together, without those of Node and the process. */
export function ownMetrics(): KnownMetric[] {
  const registry = createRegistry();
  createApiMetrics(registry);
  createWorkerMetrics(registry);
  createEndMetrics(registry);
  addLedgerMetrics(registry, { audit: () => Promise.reject(new Error('not asked')) }, pino({ level: 'silent' }));
  return namesOf(registry).filter(({ name }) => !/^(process|nodejs)_/.test(name));
}

/** Those of Node and the process. */
export const processMetrics = (): string[] => namesOf(createRegistry()).map(({ name }) => name);

const namesOf = (registry: Registry): KnownMetric[] =>
  (registry.getMetricsAsArray() as unknown as (KnownMetric & { labelNames: string[] })[]).map(
    ({ name, type, labelNames }) => ({ name, type, labels: [...labelNames] }),
  );

/** The names of series that a metric has. */
export const seriesOf = ({ name, type }: KnownMetric): string[] =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

/** Those of Temporal's SDK that docs/metrics.md speaks of; `test/e2e/seeing.test.ts` looks whether they are there. */
export const sdkMetrics = (): string[] => [
  ...new Set([...readFileSync('docs/metrics.md', 'utf8').matchAll(/`(temporal_\w+)`/g)].map(([, name = '']) => name)),
];
