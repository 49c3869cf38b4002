import Router from '@koa/router';
import type { AppMiddleware, RequestState, RouteMiddleware } from './context.js';
import { ApiError } from './api-error.js';
import { authenticateBearer, authenticateTask } from './middleware/authenticate.js';
import { parseBody } from './middleware/parse-body.js';
import type { TaskCookies } from './generations/task-cookie.js';
import type { Access, Route } from './route.js';
import type { VerifyToken } from './verify-token.js';

interface RouterDeps {
  verify: VerifyToken;
  cookies: TaskCookies;
}

/** Mounts routes: each one's caller is authenticated and its body read before it handles the request. */
export function createRouter(routes: readonly Route[], { verify, cookies }: RouterDeps): Router<RequestState, unknown> {
  const authenticators: Record<Access, RouteMiddleware[]> = {
    public: [],
    owner: [authenticateBearer(verify)],
    support: [authenticateBearer(verify, 'support')],
    admin: [authenticateBearer(verify, 'admin')],
    task: [authenticateTask(verify, cookies)],
  };
  const router = new Router<RequestState, unknown>();
  for (const route of routes) {
    const remember: RouteMiddleware = (ctx, next) => {
      ctx.state.route = route;
      return next();
    };
    router[route.method](
      toRouterPath(route.path),
      remember,
      ...authenticators[route.access],
      ...(route.operation.body ? [parseBody(route.operation.body.maxBytes)] : []),
      route.handle,
    );
  }
  return router;
}

/** Answers what no route does: 405 where another method would be answered, else 404. */
export function rejectUnrouted(router: Router<RequestState, unknown>): AppMiddleware {
  return function rejectUnrouted(ctx) {
    const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new ApiError('not_found');
    throw new ApiError('method_not_allowed', { headers: { Allow: [...methods].join(', ') } });
  };
}

/** Without its last slash a path is matched with and without one. */
const toRouterPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '');
