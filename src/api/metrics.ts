import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** What Prometheus reads of an API process. */
export interface ApiMetrics {
  registry: Registry;
  requestSeconds: Histogram<'method' | 'route' | 'status'>;
  starts: Counter<'outcome'>;
}

/** From a poll answered out of memory to a blocking generation. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Metrics of one app, in a registry of their own. */
export function createMetrics(): ApiMetrics {
  const registry = new Registry();
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer a request.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
    starts: new Counter({
      name: 'generation_starts_total',
      help: 'Requests to start a generation, by what became of them.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}

/** Adds the metrics of the process: memory, event loop, garbage collection. Once per process. */
export function addProcessMetrics({ registry }: ApiMetrics): void {
  collectDefaultMetrics({ register: registry });
}
