import { Counter, Histogram, type Registry } from 'prom-client';
import { FAILURE_CODES } from '../contract/failures.js';
import type { EndedGeneration } from '../ledger/types.js';

/** Around what clients wait for: 5 to 10 s are usual, 110 s the end. */
const DURATION_BUCKETS = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 80, 110, 150];

/** Counts ends of generations, each in the process that wrote it into the ledger: a worker, or an API that found it broken off. */
export function createEndMetrics(registry: Registry): (createdAt: Date, end: EndedGeneration) => void {
  const ends = new Counter({
    name: 'generation_ends_total',
    help: 'Generations that ended, by how: completed, fallback or failed, which has an error code.',
    labelNames: ['state', 'error_code'],
    registers: [registry],
  });
  for (const state of ['completed', 'fallback']) ends.inc({ state, error_code: '' }, 0);
  for (const code of FAILURE_CODES) ends.inc({ state: 'failed', error_code: code }, 0);
  const seconds = new Histogram({
    name: 'generation_duration_seconds',
    help: 'Time from the start of a generation to its end.',
    labelNames: ['state'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  return (createdAt, end) => {
    const state = stateOf(end);
    ends.inc({ state, error_code: end.status === 'failed' ? end.failure.code : '' });
    seconds.observe({ state }, Math.max(0, end.endedAt.getTime() - createdAt.getTime()) / 1000);
  };
}

function stateOf(end: EndedGeneration): 'completed' | 'fallback' | 'failed' {
  if (end.status === 'failed') return 'failed';
  return end.generatedByAi ? 'completed' : 'fallback';
}
