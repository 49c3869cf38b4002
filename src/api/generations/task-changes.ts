import type { Generations } from '../../generations/types.js';

/**
 * How long to rest at most before asking anew: a process that hears of nothing asks as a poll would. In ms.
 */
export const ASK_EVERY_MS = 1_000;

/** Sleeps until a task may have changed. MUST be stopped. */
export interface TaskChanges {
  /** Until a change since the last rest, for `ms`, or until the signal is aborted. */
  rest(ms: number, signal: AbortSignal): Promise<void>;
  stop(): void;
}

export function changesOf(generations: Pick<Generations, 'subscribe'>, taskId: string): TaskChanges {
  let changed = false;
  let wake: (() => void) | undefined;
  const stop = generations.subscribe(taskId, () => {
    changed = true;
    wake?.();
  });
  return {
    stop,
    async rest(ms, signal) {
      if (!changed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const over = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', over);
            wake = undefined;
            resolve();
          };
          const timer = setTimeout(over, ms);
          signal.addEventListener('abort', over);
          wake = over;
        });
      }
      changed = false;
    },
  };
}
