import { Counter, Histogram, Registry } from 'prom-client';
import { READ_SOURCES, type ReadSource } from '../generations/read-source.js';

/** What Prometheus reads of an API. */
export interface ApiMetrics {
  requestSeconds: Histogram<'method' | 'route' | 'status'>;
  starts: Counter<'outcome'>;
  /** Counts a read of a status. */
  countRead: (source: ReadSource) => void;
}

/** What may become of a request to start. */
export const START_OUTCOMES = [
  'started',
  'cached',
  'joined',
  'existing',
  'key_reused',
  'limited_starts',
  'limited_running',
  'overloaded',
  'erased',
  'unavailable',
] as const;

/** From a poll answered out of memory to a blocking generation. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Counters are there from the start, at zero: one that appears with its first event shows Prometheus no increase. */
export function createApiMetrics(registry = new Registry()): ApiMetrics {
  const registers = [registry];
  const starts = new Counter({
    name: 'generation_starts_total',
    help: 'Tasks that were to start, by what became of the request.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of START_OUTCOMES) starts.inc({ outcome }, 0);
  const statusReads = new Counter({
    name: 'generation_status_reads_total',
    help: 'Reads of a status, by what could answer.',
    labelNames: ['source'],
    registers,
  });
  // Finding the series of a label costs more than to count.
  const reads = new Map(READ_SOURCES.map((source) => [source, statusReads.labels({ source })]));
  for (const series of reads.values()) series.inc(0);
  return {
    requestSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer a request.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS,
      registers,
    }),
    starts,
    countRead: (source) => reads.get(source)?.inc(),
  };
}
