import type { RouteContext } from './context.js';

/** Aborted when the connection of a request is closed. */
export function gone(ctx: RouteContext): AbortSignal {
  const closed = new AbortController();
  ctx.res.once('close', () => {
    closed.abort();
  });
  return closed.signal;
}
