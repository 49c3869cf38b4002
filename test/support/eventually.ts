import { setTimeout as rest } from 'node:timers/promises';

/**
 * Repeats `check` until it passes and returns its value; fails with its last error. The time only bounds how long a
 * broken product is waited for. An error that `onlyAfter` does not take is final.
 */
export async function eventually<T>(
  check: () => Promise<T> | T,
  { timeoutMs = 15_000, everyMs = 50, onlyAfter = (_error: unknown): boolean => true } = {},
): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= giveUpAt || !onlyAfter(error)) throw error;
      await rest(everyMs);
    }
  }
}
