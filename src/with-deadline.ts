import { setTimeout as delay } from 'node:timers/promises';

/** Settles as the promise does, or rejects when `timeoutMs` are over. The work itself goes on. */
export async function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const done = new AbortController();
  const expiry = delay(timeoutMs, undefined, { signal: done.signal }).then((): never => {
    throw new Error(`No answer within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    done.abort();
  }
}
