import type { RouteContext, RouteMiddleware } from '../context.js';
import { ApiError } from '../api-error.js';
import { BATCH_ID, TASK_ID } from '../generations/parameters.js';
import type { TaskCookies } from '../generations/task-cookie.js';
import { readParameter } from '../validate.js';
import type { VerifyToken } from '../verify-token.js';

/** Lets bearers of a valid token pass; where a scope is asked for, only with that one. `admin` may do all that `support` may. */
export function authenticateBearer(
  verify: VerifyToken,
  scope?: 'support' | 'admin',
): (ctx: RouteContext, next: () => Promise<unknown>, token?: string) => Promise<unknown> {
  return async function authenticateBearer(ctx, next, token = bearerTokenOf(ctx)) {
    if (token === undefined) throw new ApiError('unauthorized');
    const { owner, scopes } = await verify(token);
    ctx.state.caller = { kind: 'owner', owner };
    if (scope !== undefined && !scopes.has(scope) && !scopes.has('admin')) throw lacks(scope);
    return next();
  };
}

/**
 * Lets bearers of a valid token pass, or of the cookie of the one task, or batch, that the path names. A token that was sent counts
 * alone: a bad one is refused even beside a good cookie.
 */
export function authenticateTask(verify: VerifyToken, cookies: TaskCookies): RouteMiddleware {
  const asBearer = authenticateBearer(verify);
  return async function authenticateTask(ctx, next) {
    const token = bearerTokenOf(ctx);
    if (token !== undefined) return asBearer(ctx, next, token);
    const caller = await cookies.read(ctx, readParameter(ctx, BATCH_ID.name in ctx.params ? BATCH_ID : TASK_ID));
    if (caller === null) throw new ApiError('unauthorized');
    ctx.state.caller = caller;
    return next();
  };
}

const lacks = (scope: 'support' | 'admin'): ApiError =>
  new ApiError('insufficient_scope', {
    detail: `This needs a token with the scope ${scope}.`,
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });

/** `headersDistinct` would make an object of all headers at each poll. */
function isSentTwice(rawHeaders: readonly string[], name: string): boolean {
  let times = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const header = rawHeaders[n] ?? '';
    if (header.length === name.length && header.toLowerCase() === name) times += 1;
  }
  return times > 1;
}

/** The token, perhaps an empty one; undefined where none is sent. Other schemes are not ours to judge. */
function bearerTokenOf(ctx: RouteContext): string | undefined {
  // Of two, a proxy in front may have judged the one that Node leaves out.
  if (isSentTwice(ctx.req.rawHeaders, 'authorization')) throw new ApiError('invalid_token');
  const [scheme = '', ...rest] = ctx.get('Authorization').trim().split(/ +/);
  return scheme.toLowerCase() === 'bearer' ? rest.join(' ') : undefined;
}
