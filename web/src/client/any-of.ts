/**
 * A signal that is aborted with the first of these, as that one was, until `release` is called. In place of
 * AbortSignal.any(), which browsers have only since 2024.
 */
export function anyOf(signals: readonly AbortSignal[]): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const listening = new AbortController();
  for (const signal of signals) {
    const abort = (): void => {
      controller.abort(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { signal: listening.signal });
  }
  return {
    signal: controller.signal,
    release: () => {
      listening.abort();
    },
  };
}
