import type { RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import type { Caller } from '../generations/types.js';
import type { By } from '../ledger/types.js';
import type { Logger } from '../log.js';
import type { Route } from './route.js';

/** What is known of a request while it is answered. */
export interface RequestState {
  requestId: string;
  /** Names the request in each line. */
  log: Logger;
  /** Set once the router has found it. */
  route?: Route;
  /** Set once the caller is authenticated. */
  caller?: Caller;
  /** The task or batch it is about, for the log. */
  taskId?: string;
}

/** Runs before a request has found its route. */
export type AppMiddleware = Middleware<RequestState, unknown>;

/** A request that has found its route. */
export type RouteContext = RouterContext<RequestState, unknown>;
export type RouteMiddleware = (ctx: RouteContext, next: () => Promise<unknown>) => Promise<unknown>;

/** Who calls, for what is written down of admins. */
export const byOf = (ctx: RouteContext): By => ({ actor: callerOf(ctx).owner, requestId: ctx.state.requestId });

/** Who calls. MUST be used only by routes whose access is not `public`. */
export function callerOf(ctx: RouteContext): Caller {
  if (!ctx.state.caller) throw new TypeError('A public route asked for its caller');
  return ctx.state.caller;
}
