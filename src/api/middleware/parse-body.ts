import { bodyParser } from '@koa/bodyparser';
import { BODY_MAX_BYTES } from '../../contract/limits.js';
import type { RouteContext, RouteMiddleware } from '../context.js';
import { ApiError } from '../api-error.js';
import type { ErrorCode } from '../errors.js';

/**
 * Reads the body as JSON, up to `maxBytes` of it. text/plain is taken for JSON too, as is a body without a type: pages of old post JSON without
 * naming a type, which a browser sends as text/plain.
 */
export function parseBody(maxBytes = BODY_MAX_BYTES): RouteMiddleware {
  // MUST not name the error as the cause: it holds the body, and causes are logged.
  const onError = (error: Error): never => {
    const code = codeOf(error);
    throw code === 'payload_too_large' ? tooLarge(maxBytes) : new ApiError(code);
  };
  const readJson = bodyParser({ detectJSON: () => true, jsonLimit: maxBytes, onError });
  return async function parseBody(ctx, next) {
    if (!mayBeJson(ctx)) throw new ApiError('unsupported_media_type');
    await readJson(ctx, () => Promise.resolve());
    if (typeof ctx.request.body !== 'object' || Array.isArray(ctx.request.body)) throw new ApiError('invalid_json');
    await next();
  };
}

export const tooLarge = (maxBytes: number): ApiError =>
  new ApiError('payload_too_large', { detail: `The body is larger than ${maxBytes / 1024} KiB.` });

// `is` gives null where there is no body: nothing is wrong with the type of that.
function mayBeJson(ctx: RouteContext): boolean {
  return ctx.get('Content-Type') === '' || ctx.is('json', '+json', 'text/plain') !== false;
}

function codeOf(error: Error & { status?: number }): ErrorCode {
  switch (error.status) {
    case 413:
      return 'payload_too_large';
    case 415:
      return 'unsupported_media_type';
    default:
      return 'invalid_json';
  }
}
