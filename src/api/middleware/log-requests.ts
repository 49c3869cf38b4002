import type { AppMiddleware } from '../context.js';

/** One line for each answer; never a body or a header. Polls and probes are many: they are lines of level debug. */
export const logRequests: AppMiddleware = async function logRequests(ctx, next) {
  const begun = performance.now();
  await next();
  const { log, route, caller, taskId } = ctx.state;
  const line = {
    method: ctx.method,
    route: route?.path,
    status: ctx.status,
    ms: Math.round(performance.now() - begun),
    owner: caller?.owner,
    task_id: taskId,
  };
  if (route?.quiet) log.debug(line, 'request');
  else log.info(line, 'request');
};
