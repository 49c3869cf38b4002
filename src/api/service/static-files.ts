import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RouteContext } from '../context.js';
import { PAGE_CSP } from '../middleware/secure-headers.js';

/** A file as it is sent. */
export interface StaticFile {
  content: string;
  contentType: string;
  etag: string;
}

export const HTML = 'text/html';

/** Reads a text of the repository; `path` is from its root, the same from src/ and from dist/. */
export function readRepositoryFile(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** Content with its ETag. */
export function staticFile(content: string, contentType: string): StaticFile {
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22);
  return { content, contentType, etag: `"${hash}"` };
}

/** Sends a file, or 304 to a browser that has it. It asks each time, so that a new version shows at once. */
export function sendFile(ctx: RouteContext, { content, contentType, etag }: StaticFile): void {
  ctx.set({ 'Cache-Control': 'no-cache', ETag: etag });
  if (contentType === HTML) ctx.set('Content-Security-Policy', PAGE_CSP);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = contentType;
  ctx.body = content;
}
