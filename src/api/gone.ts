import type { RouteContext } from './context.js';

/** Aborted when the connection of a request is closed. */
export function gone(ctx: RouteContext): AbortSignal {
  const closed = new AbortController();
  if (ctx.res.destroyed) closed.abort();
  ctx.res.once('close', () => {
    closed.abort();
  });
  return closed.signal;
}
