import type { RouteContext } from './context.js';

/**
 * Aborted when the connection of a request is closed, or before that with `leaving`. Not by AbortSignal.any(), of which some
 * releases of Node keep something for as long as `leaving` lives.
 */
export function gone(ctx: RouteContext, leaving?: AbortSignal): AbortSignal {
  const over = new AbortController();
  const abort = (): void => {
    over.abort();
  };
  if (ctx.res.destroyed || leaving?.aborted) {
    abort();
    return over.signal;
  }
  leaving?.addEventListener('abort', abort);
  ctx.res.once('close', () => {
    leaving?.removeEventListener('abort', abort);
    abort();
  });
  return over.signal;
}
