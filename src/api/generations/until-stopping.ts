import { setTimeout as delay } from 'node:timers/promises';

/** How long a stopping service still waits for the end of generations that somebody waits for. */
const GRACE_MS = 3_000;

/** The answer, or `otherwise` where the service is stopping and it did not come within the grace. */
export async function untilStopping<T>(answer: Promise<T>, stopping: AbortSignal, otherwise: T): Promise<T> {
  const done = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    stopping.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { signal: done.signal },
    );
  });
  const graceOver = stopped.then(() => delay(GRACE_MS, otherwise, { signal: done.signal }));
  try {
    return await Promise.race([answer, graceOver]);
  } finally {
    done.abort();
  }
}
