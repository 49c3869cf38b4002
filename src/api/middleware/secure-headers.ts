import type { AppMiddleware } from '../context.js';

/** What the HTML pages may load: files of this service, and requests to it. */
export const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  // An application on the same origin may show the page in a frame of its own.
  "frame-ancestors 'self'",
].join('; ');

const HEADERS = Object.entries({
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
});

/** Headers of every answer; pages and files replace the policy and the caching by their own. */
export const secureHeaders: AppMiddleware = function secureHeaders(ctx, next) {
  for (const [name, value] of HEADERS) ctx.res.setHeader(name, value);
  return next();
};
