import type { AppMiddleware } from '../context.js';
import type { Logger } from '../../log.js';

/** One line for each answer; never a body or a header. Polls and probes are many: they are lines of level debug. */
export function logRequests(log: Logger): AppMiddleware {
  const isDebug = log.isLevelEnabled('debug');
  return async function logRequests(ctx, next) {
    const begun = performance.now();
    await next();
    const { route, caller, taskId } = ctx.state;
    if (route?.quiet && !isDebug) return;
    const line = {
      method: ctx.method,
      route: route?.path,
      status: ctx.status,
      ms: Math.round(performance.now() - begun),
      owner: caller?.owner,
      task_id: taskId,
    };
    ctx.state.log[route?.quiet ? 'debug' : 'info'](line, 'request');
  };
}
