/**
 * Runs `round` at once, and again `everyMs` after the end of the one before. The result stops that, and waits for the round
 * that is under way. `round` MUST NOT throw.
 */
export function repeat(everyMs: number, round: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let current = Promise.resolve();
  const next = (): void => {
    current = round().then(() => {
      if (!stopped) timer = setTimeout(next, everyMs);
    });
  };
  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await current;
  };
}
