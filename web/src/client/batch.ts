import { GENERATE_BATCH_PATH } from '../../../src/contract/names.js';
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
  /** Called with each state that was read. */
  onChange?: (batch: Batch) => void;
  /** The same one for the same batch, sent again; a new one where absent. */
  idempotencyKey?: string;
  /** Aborted: nobody follows it any more, and the result rejects. The batch runs on, unless `cancelBatch` is asked for. */
  signal?: AbortSignal;
}

const POLL_MS = 1_000;
const RETRY_MS = 2_000;
/** As long as the service may need to end every batch. */
const GIVE_UP_MS = 120_000;

/**
 * Starts a batch of up to 100 prompts and follows it to its end: the result has each item's, whether completed or failed.
 * It outlasts breaks of the network. Throws BatchError.
 */
export async function generateBatch(manualPrompts: readonly string[], options: BatchOptions = {}): Promise<Batch> {
  const { onChange = () => undefined, idempotencyKey = newKey(), signal = new AbortController().signal } = options;
  const { call } = createCaller(() => options);
  const giveUpAt = Date.now() + GIVE_UP_MS;

  /** Asks until it is answered. */
  async function ask(request: Omit<Parameters<typeof call>[0], 'signal'>): Promise<Extract<Answer, { kind: 'ok' }>> {
    for (;;) {
      const answer = await call({ ...request, signal });
      if (answer.kind === 'ok') return answer;
      if (answer.kind === 'refused' && answer.status < 500) throw new BatchError(answer.code, answer.message);
      if (answer.kind === 'busy' && request.method === 'POST') throw new BatchError('rate_limited', answer.message);
      if (Date.now() >= giveUpAt) throw new BatchError('network_error', 'The service cannot be reached.');
      await rest(Math.max(RETRY_MS, answer.retryAfterMs), signal);
    }
  }

  const started = await ask({
    method: 'POST',
    path: GENERATE_BATCH_PATH,
    body: { manual_prompts: manualPrompts },
    headers: { 'Idempotency-Key': idempotencyKey },
  });
  const { status_url: path } = started.body as { status_url: string };
  for (;;) {
    const answer = await ask({ method: 'GET', path });
    const batch = answer.body as unknown as Batch;
    onChange(batch);
    if (batch.progress === 100) return batch;
    await rest(Math.max(POLL_MS, answer.retryAfterMs), signal);
    if (Date.now() >= giveUpAt) throw new BatchError('no_answer', 'The service did not tell the end of this batch.');
  }
}

/** Asks the service to cancel what of a batch has not ended; those items then end as `failed` with the code `cancelled`. */
export async function cancelBatch(statusUrl: string, options: BatchOptions = {}): Promise<void> {
  const { signal = new AbortController().signal } = options;
  const answer = await createCaller(() => options).call({ method: 'POST', path: `${statusUrl}cancel/`, signal });
  if (answer.kind === 'refused' || answer.kind === 'busy')
    throw new BatchError(answer.kind === 'busy' ? 'rate_limited' : answer.code, answer.message);
  if (answer.kind === 'unreachable') throw new BatchError('network_error', 'The service cannot be reached.');
}
