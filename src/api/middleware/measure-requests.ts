import type { AppMiddleware } from '../context.js';
import type { ApiMetrics } from '../../metrics/api-metrics.js';

/** Durations by route, never by path: the ids in paths would make a series each. */
export function measureRequests({ requestSeconds }: ApiMetrics): AppMiddleware {
  // Finding the series of some labels costs more than to count.
  const series = new Map<string, ReturnType<typeof requestSeconds.labels>>();
  return async function measureRequests(ctx, next) {
    const begun = performance.now();
    await next();
    const { method, status } = ctx;
    const route = ctx.state.route?.path ?? 'none';
    const key = `${method} ${status} ${route}`;
    let own = series.get(key);
    if (!own) series.set(key, (own = requestSeconds.labels({ method, route, status })));
    own.observe((performance.now() - begun) / 1000);
  };
}
