/** Whether nobody looks: in a hidden tab nothing is asked. Outside of a browser somebody always does. */
const isHidden = (): boolean => typeof document !== 'undefined' && document.visibilityState === 'hidden';

/** Whether the browser knows that there is no network; what it does not know is found out by asking. */
export const isOffline = (): boolean => typeof navigator !== 'undefined' && 'onLine' in navigator && !navigator.onLine;

/**
 * Waits `ms`, but not while the page is hidden, and no longer than until it is shown again or the network comes back.
 * Rejects with the signal's reason as soon as that is aborted.
 */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
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
    const wake = settle(resolve);
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
    if (!isHidden()) timer = setTimeout(wake, ms);
  });
}

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error('Aborted', { cause: reason });
