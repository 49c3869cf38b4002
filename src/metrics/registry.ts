import { collectDefaultMetrics, Registry } from 'prom-client';

/** What one process tells Prometheus, with the metrics of the process itself: memory, event loop, garbage collection. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
