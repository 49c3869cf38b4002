import { createSecretKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { statusPath } from '../../contract/names.js';
import type { Caller } from '../../generations/types.js';
import type { RouteContext } from '../context.js';

/** One name for all tasks: the path tells them apart. */
export const TASK_COOKIE = 'generation';

const AUDIENCE = 'task-status';
const LIFETIME_SECONDS = 24 * 60 * 60;

/** Cookies that let a page poll the status of one task, and nothing else, with no header. */
export interface TaskCookies {
  /** Adds the task's cookie to the answer. `path`: where it is read, of a batch. */
  issue(ctx: RouteContext, task: { taskId: string; owner: string; path?: string }): Promise<void>;
  /** Who may see the task by this request's cookie; null where it carries none of this very task. */
  read(ctx: RouteContext, taskId: string): Promise<Extract<Caller, { kind: 'task' }> | null>;
}

/** `sharedKey`: of all API processes, so that each takes the cookies of the others; `now`: as `Generations.now`. */
export function createTaskCookies(sharedKey: Uint8Array, now: () => number): TaskCookies {
  const key = createSecretKey(sharedKey);
  return {
    async issue(ctx, { taskId, owner, path = statusPath(taskId) }) {
      const value = await new SignJWT({ task: taskId })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(owner)
        .setAudience(AUDIENCE)
        .setIssuedAt(new Date(now()))
        .setExpirationTime(`${LIFETIME_SECONDS}s`)
        .sign(key);
      const secure = cameByHttps(ctx);
      // Else the cookie library refuses what it does not see itself: that a proxy in front speaks https.
      ctx.cookies.secure = secure;
      ctx.cookies.set(TASK_COOKIE, value, {
        path,
        maxAge: LIFETIME_SECONDS * 1000,
        httpOnly: true,
        sameSite: 'strict',
        secure,
        overwrite: true,
      });
    },

    async read(ctx, taskId) {
      const value = ctx.cookies.get(TASK_COOKIE);
      if (value === undefined) return null;
      try {
        const { payload } = await jwtVerify(value, key, { algorithms: ['HS256'], audience: AUDIENCE });
        const { sub: owner, iat } = payload;
        if (payload.task !== taskId || owner === undefined || iat === undefined) return null;
        return { kind: 'task', taskId, owner, startedAt: new Date(iat * 1000).toISOString() };
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}

/** Whoever invents the header only makes their own cookie stricter. */
function cameByHttps(ctx: RouteContext): boolean {
  const protocol = ctx.get('X-Forwarded-Proto').split(',', 1)[0]?.trim().toLowerCase();
  return ctx.secure || protocol === 'https';
}
