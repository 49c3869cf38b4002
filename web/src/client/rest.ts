/** Whether nobody looks: in a hidden tab nothing is asked. Outside of a browser somebody always does. */
export const isHidden = (): boolean => typeof document !== 'undefined' && document.visibilityState === 'hidden';

/** Calls back when the page is hidden or loses its network, until the result is called. */
export function whenAway(callback: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const listening = new AbortController();
  const options = { signal: listening.signal };
  document.addEventListener(
    'visibilitychange',
    () => {
      if (isHidden()) callback();
    },
    options,
  );
  window.addEventListener('offline', callback, options);
  return () => {
    listening.abort();
  };
}

/**
 * Waits `ms`, but not while the page is hidden, and no longer than until it is shown again or the network comes back;
 * then it says true. Rejects with the signal's reason as soon as that is aborted.
 */
export function rest(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const listening = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (how: () => void) => (): void => {
      clearTimeout(timer);
      listening.abort();
      how();
    };
    const wake = settle(() => {
      resolve(true);
    });
    const whenShown = (): void => {
      if (isHidden()) clearTimeout(timer);
      else wake();
    };
    const options = { signal: listening.signal };
    if (typeof document !== 'undefined') {
      document.addEventListener('visibilitychange', whenShown, options);
      window.addEventListener('online', whenShown, options);
    }
    signal.addEventListener(
      'abort',
      settle(() => {
        reject(reasonOf(signal));
      }),
      options,
    );
    const over = settle(() => {
      resolve(false);
    });
    if (!isHidden()) timer = setTimeout(over, ms);
  });
}

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error('Aborted', { cause: reason });
