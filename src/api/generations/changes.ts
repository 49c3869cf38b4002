import { setTimeout as delay } from 'node:timers/promises';
import type { Followed } from './followed.js';

/**
 * How long to rest at most before asking anew: a process that hears of nothing asks as a poll would. In ms.
 */
export const ASK_EVERY_MS = 1_000;

/** Sleeps until a state may have changed. MUST be stopped. */
export interface Changes {
  /** Until a change since the last rest, for `ms`, or until the signal is aborted. */
  rest(ms: number, signal: AbortSignal): Promise<void>;
  stop(): void;
}

export function changesOf({ subscribe, restMs = 0 }: Pick<Followed, 'subscribe' | 'restMs'>): Changes {
  let changed = false;
  let wake: (() => void) | undefined;
  const stop = subscribe(() => {
    changed = true;
    wake?.();
  });
  return {
    stop,
    async rest(ms, signal) {
      // Aborted: nobody waits any more.
      if (restMs > 0) await delay(Math.min(ms, restMs), undefined, { signal }).catch(() => undefined);
      if (!changed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const over = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', over);
            wake = undefined;
            resolve();
          };
          const timer = setTimeout(over, Math.max(0, ms - restMs));
          signal.addEventListener('abort', over);
          wake = over;
        });
      }
      changed = false;
    },
  };
}
