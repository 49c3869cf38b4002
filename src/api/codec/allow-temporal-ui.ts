import type { AppMiddleware } from '../context.js';
import { CODEC_PATH } from './codec.js';

/** What the Web UI sends, with "pass access token" on. */
const HEADERS = 'Authorization, Authorization-Extras, Content-Type, X-Namespace';
/** In seconds: how long a browser asks no second time. */
const REMEMBERED_S = 600;

/** Lets pages of the Temporal Web UI call the codec from its own origin (CORS), and no page of any other. */
export function allowTemporalUi(uiUrl: string | undefined): AppMiddleware {
  const origin = uiUrl === undefined ? null : new URL(uiUrl).origin;
  return function allowTemporalUi(ctx, next) {
    if (!ctx.path.startsWith(CODEC_PATH)) return next();
    const isAllowed = ctx.get('Origin') === origin;
    ctx.vary('Origin');
    if (isAllowed) ctx.set('Access-Control-Allow-Origin', origin);
    if (isAllowed && ctx.method === 'OPTIONS') {
      ctx.set({
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': HEADERS,
        'Access-Control-Max-Age': String(REMEMBERED_S),
      });
      ctx.status = 204;
      return undefined;
    }
    return next();
  };
}
