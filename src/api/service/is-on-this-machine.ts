import type { RouteContext } from '../context.js';

const LOOPBACK_ADDRESS = /^(127\.|::1$|::ffff:127\.)/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Whether a page of this very service, opened by a loopback name on this machine, asks, without a proxy in between.
 *
 * A page of another site can't read our answers, as no CORS header allows it to, but it can get around that by DNS
 * rebinding: its own host name is made to point to 127.0.0.1, and then it is "the same origin" as us. What it can't
 * change is that its browser sends that name in Host. So only names that always mean this machine are believed.
 */
export function isOnThisMachine(ctx: RouteContext): boolean {
  const host = ctx.get('Host');
  const origin = ctx.get('Origin');
  const isForwarded = ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host'].some((name) => ctx.get(name) !== '');
  if (isForwarded || !LOOPBACK_ADDRESS.test(ctx.req.socket.remoteAddress ?? '')) return false;
  return LOOPBACK_HOST.test(host) && (origin === '' || origin === `${ctx.protocol}://${host}`);
}
