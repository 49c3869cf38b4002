import { randomUUID } from 'node:crypto';
import type { AppMiddleware, RequestState } from '../context.js';
import type { Logger } from '../../log.js';

const SANE_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Names the request: by the caller's X-Request-Id if that is sane, else anew. Every later log line carries the name. */
export function nameRequest(log: Logger): AppMiddleware {
  return function nameRequest(ctx, next) {
    const given = ctx.get('X-Request-Id');
    const requestId = SANE_ID.test(given) ? given : randomUUID();
    let named: Logger | undefined;
    ctx.state = {
      requestId,
      // Made by the first line: most polls write none.
      get log() {
        return (named ??= log.child({ request_id: requestId }));
      },
    } satisfies RequestState;
    ctx.set('X-Request-Id', requestId);
    return next();
  };
}
