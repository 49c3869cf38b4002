import { Counter, Histogram, Registry } from 'prom-client';

/** What Prometheus reads of a worker, beside what the SDK tells of itself. */
export interface WorkerMetrics {
  /** From a generation's start until a worker does its first step. */
  queueSeconds: Histogram;
  /** From the time an attempt to ask the model is due until a worker begins it. */
  llmQueueSeconds: Histogram;
  activitySeconds: Histogram<'activity' | 'outcome'>;
  activityRetries: Counter<'activity'>;
  llmSeconds: Histogram<'outcome'>;
  llmFailures: Counter<'outcome' | 'status'>;
  llmFirstTextSeconds: Histogram;
  llmTokens: Counter<'kind'>;
  reconciled: Counter<'what'>;
}

/** The steps of a generation, of which three are database transactions, and what a worker does besides. */
const STEP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 110];
const LLM_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60];

const ACTIVITIES = ['initialize', 'checkTokens', 'generateWithAI', 'finalize', 'reconcile'] as const;

/** Counters without a free label are there from the start, at zero: see `createApiMetrics`. */
export function createWorkerMetrics(registry = new Registry()): WorkerMetrics {
  const registers = [registry];
  const activityRetries = new Counter({
    name: 'activity_retries_total',
    help: 'Attempts of an activity after its first one.',
    labelNames: ['activity'],
    registers,
  });
  for (const activity of ACTIVITIES) activityRetries.inc({ activity }, 0);
  const llmTokens = new Counter({
    name: 'llm_tokens_total',
    help: 'Tokens the model counted: prompt (what it was sent) and completion (what it wrote).',
    labelNames: ['kind'],
    registers,
  });
  for (const kind of ['prompt', 'completion']) llmTokens.inc({ kind }, 0);
  const reconciled = new Counter({
    name: 'reconciler_mended_total',
    help: 'What the reconciler found left behind by broken-off runs, and mended.',
    labelNames: ['what'],
    registers,
  });
  for (const what of ['hold', 'task', 'erased_run']) reconciled.inc({ what }, 0);
  const activitySeconds = new Histogram({
    name: 'activity_attempt_duration_seconds',
    help: 'Time of one attempt of an activity: the four steps of a generation, reconcile, and those of an erasure.',
    labelNames: ['activity', 'outcome'],
    buckets: STEP_BUCKETS,
    registers,
  });
  for (const activity of ACTIVITIES) activitySeconds.zero({ activity, outcome: 'ok' });
  return {
    queueSeconds: new Histogram({
      name: 'generation_queue_wait_seconds',
      help: "Time from a generation's start until a worker begins its first step.",
      buckets: QUEUE_BUCKETS,
      registers,
    }),
    llmQueueSeconds: new Histogram({
      name: 'llm_queue_wait_seconds',
      help: 'Time from when an attempt to ask the model is due until a worker begins it.',
      buckets: QUEUE_BUCKETS,
      registers,
    }),
    activitySeconds,
    activityRetries,
    llmSeconds: new Histogram({
      name: 'llm_request_duration_seconds',
      help: 'Time of one request to the model, to the end of its answer.',
      labelNames: ['outcome'],
      buckets: LLM_BUCKETS,
      registers,
    }),
    llmFailures: new Counter({
      name: 'llm_request_failures_total',
      help: 'Requests to the model that failed, by whether another may work, and the HTTP status where there was one.',
      labelNames: ['outcome', 'status'],
      registers,
    }),
    llmFirstTextSeconds: new Histogram({
      name: 'llm_time_to_first_token_seconds',
      help: "Time until the first text of the model's answer.",
      buckets: LLM_BUCKETS,
      registers,
    }),
    llmTokens,
    reconciled,
  };
}
