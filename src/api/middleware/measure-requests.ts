import type { AppMiddleware } from '../context.js';
import type { ApiMetrics } from '../../metrics/api-metrics.js';

/** Durations by route, never by path: the ids in paths would make a series each. */
export function measureRequests(metrics: ApiMetrics): AppMiddleware {
  return async function measureRequests(ctx, next) {
    const begun = performance.now();
    await next();
    metrics.requestSeconds.observe(
      { method: ctx.method, route: ctx.state.route?.path ?? 'none', status: ctx.status },
      (performance.now() - begun) / 1000,
    );
  };
}
