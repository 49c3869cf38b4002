import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { AppMiddleware } from '../context.js';

/**
 * A span for each request that may change something; it goes on in the caller's trace, where there is one. Polls and other
 * reads are many, and what there is to say of them the metrics say.
 */
export const traceRequests: AppMiddleware = function traceRequests(ctx, next) {
  if (ctx.method === 'GET' || ctx.method === 'HEAD' || ctx.method === 'OPTIONS') return next();
  const caller = propagation.extract(context.active(), ctx.headers);
  const attributes = { 'http.request.method': ctx.method };
  return trace
    .getTracer('api')
    .startActiveSpan(ctx.method, { kind: SpanKind.SERVER, attributes }, caller, async (span) => {
      try {
        await next();
      } finally {
        const { route, taskId } = ctx.state;
        if (route) span.updateName(`${ctx.method} ${route.path}`).setAttribute('http.route', route.path);
        if (taskId !== undefined) span.setAttribute('task_id', taskId);
        span.setAttribute('http.response.status_code', ctx.status);
        if (ctx.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      }
    });
};
