import type { AppMiddleware } from '../context.js';

/**
 * Once `leaving` is aborted, every answer is the last one of its connection. So clients and load balancers open their next
 * connections elsewhere, and no request is under way on one that is closed later.
 */
export function closeWhenLeaving(leaving: AbortSignal): AppMiddleware {
  return async function closeWhenLeaving(ctx, next) {
    await next();
    if (leaving.aborted) ctx.set('Connection', 'close');
  };
}
