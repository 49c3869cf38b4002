import { batchStatusPath, GENERATE_BATCH_PATH } from '../../../src/contract/names.js';
import type { BatchCounts } from '../../../src/contract/batch.js';
import { createCaller, type Answer } from './http.js';
import { newKey } from './memory.js';
import { rest } from './rest.js';
import type { ErrorCode, GenerationClientOptions } from './types.js';

export type { BatchCounts } from '../../../src/contract/batch.js';

/** One item of a batch. Its prompt is read at its own `status_url`. */
export interface BatchItem {
  index: number;
  task_id: string;
  status_url: string;
  status: string;
  progress: number;
  /** Of a failed one. */
  error_code?: ErrorCode;
  /** Of a completed one; false: the fallback. */
  generated_by_ai?: boolean;
}

/** A batch as the service tells it. */
export interface Batch {
  batch_id: string;
  status: string;
  progress: number;
  message: string;
  counts: BatchCounts;
  items: BatchItem[];
  stale?: boolean;
}

/** Thrown where the service refuses a batch, or does not answer for long. */
export class BatchError extends Error {
  override name = 'BatchError';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export interface BatchOptions extends Pick<GenerationClientOptions, 'token' | 'baseUrl'> {
  /** Called with each state that was read, and before the first one as soon as the batch is taken: its id cancels it. */
  onChange?: (batch: Batch) => void;
  /** The same one for the same batch, sent again; a new one where absent. */
  idempotencyKey?: string;
  /** Aborted: nobody follows it any more, and the result rejects. The batch runs on, unless `cancelBatch` is asked for. */
  signal?: AbortSignal;
}

const POLL_MS = 1_000;
const RETRY_MS = 2_000;
const RETRIES = 3;
/** As long as the service may need to end every batch, once it has taken it. */
const GIVE_UP_MS = 120_000;

/**
 * Starts a batch of up to 100 prompts and follows it to its end: the result has each item's, whether completed or failed.
 * It outlasts breaks of the network. Throws BatchError.
 */
export async function generateBatch(manualPrompts: readonly string[], options: BatchOptions = {}): Promise<Batch> {
  const { onChange = () => undefined, idempotencyKey = newKey(), signal = new AbortController().signal } = options;
  const { call } = createCaller(() => options);
  let giveUpAt = Date.now() + GIVE_UP_MS;

  /** Asks until it is answered. */
  async function ask(request: Omit<Parameters<typeof call>[0], 'signal'>): Promise<Extract<Answer, { kind: 'ok' }>> {
    for (let failures = 0; ;) {
      const answer = await call({ ...request, signal });
      if (answer.kind === 'ok') return answer;
      if (answer.kind === 'refused' && answer.status < 500) throw new BatchError(answer.code, answer.message);
      if (answer.kind === 'busy' && request.method === 'POST') throw new BatchError('rate_limited', answer.message);
      failures += 1;
      // A page that was away for long hears the truth first: its first requests may meet a network that is just waking up.
      if (failures > RETRIES && Date.now() >= giveUpAt)
        throw new BatchError('network_error', 'The service cannot be reached.');
      const woken = await rest(Math.max(RETRY_MS, answer.retryAfterMs), signal);
      if (woken) failures = 0;
    }
  }

  const started = await ask({
    method: 'POST',
    path: GENERATE_BATCH_PATH,
    body: { manual_prompts: manualPrompts },
    headers: { 'Idempotency-Key': idempotencyKey },
  });
  giveUpAt = Date.now() + GIVE_UP_MS;
  const { batch_id, status_url: path, items } = started.body as unknown as StartedBatch;
  onChange(takenBatch(batch_id, items));
  for (;;) {
    // After a rest, however long it was, it is asked once more.
    const isLast = Date.now() >= giveUpAt;
    const answer = await ask({ method: 'GET', path });
    const batch = answer.body as unknown as Batch;
    onChange(batch);
    if (batch.progress === 100) return batch;
    if (isLast) throw new BatchError('no_answer', 'The service did not tell the end of this batch.');
    await rest(Math.max(POLL_MS, answer.retryAfterMs), signal);
  }
}

type StartedBatch = Pick<Batch, 'batch_id'> & {
  status_url: string;
  items: Pick<BatchItem, 'index' | 'task_id' | 'status_url'>[];
};

/** A batch of which nothing is known yet but that the service has taken it. */
const takenBatch = (batch_id: string, items: StartedBatch['items']): Batch => ({
  batch_id,
  status: 'queued',
  progress: 0,
  message: 'Batch queued, waiting to start...',
  counts: { total: items.length, queued: items.length, processing: 0, completed: 0, failed: 0 },
  items: items.map((item) => ({ ...item, status: 'queued', progress: 0 })),
});

/**
 * Asks the service to cancel what of a batch has not ended; those items then end as `failed` with the code `cancelled`.
 * `batch`: its `batch_id`, or its `status_url`. Throws BatchError.
 */
export async function cancelBatch(
  batch: string,
  options: Pick<BatchOptions, 'token' | 'baseUrl' | 'signal'> = {},
): Promise<void> {
  const { signal = new AbortController().signal } = options;
  const statusUrl = batch.startsWith('/') ? batch : batchStatusPath(batch);
  const answer = await createCaller(() => options).call({ method: 'POST', path: `${statusUrl}cancel/`, signal });
  if (answer.kind === 'refused' || answer.kind === 'busy')
    throw new BatchError(answer.kind === 'busy' ? 'rate_limited' : answer.code, answer.message);
  if (answer.kind === 'unreachable') throw new BatchError('network_error', 'The service cannot be reached.');
}
