import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { RouteContext } from '../context.js';
import { PAGE_CSP } from '../middleware/secure-headers.js';

/** A file as it is sent. */
export interface StaticFile {
  content: string;
  gzipped: Buffer;
  contentType: string;
  etag: string;
  /** Its name changes with its content: nobody needs to ask for it again. */
  immutable: boolean;
}

export const HTML = 'text/html';

const YEAR_SECONDS = 31_536_000;

/** A place in the repository; `path` is from its root, the same from src/ and from dist/. */
export const inRepository = (path: string): URL => new URL(`../../../${path}`, import.meta.url);

/** Reads a text of the repository. */
export const readRepositoryFile = (path: string): string => readFileSync(inRepository(path), 'utf8');

/** Content with its ETag. */
export function staticFile(content: string, contentType: string, { immutable = false } = {}): StaticFile {
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22);
  return { content, gzipped: gzipSync(content), contentType, etag: `"${hash}"`, immutable };
}

/**
 * Sends a file, or 304 to a browser that has it. It asks each time, so that a new version shows at once, but for what is
 * immutable.
 */
export function sendFile(ctx: RouteContext, { content, gzipped, contentType, etag, immutable }: StaticFile): void {
  ctx.set({
    'Cache-Control': immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  });
  if (contentType === HTML) ctx.set('Content-Security-Policy', PAGE_CSP);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = contentType;
  const zipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (zipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = zipped ? gzipped : content;
}
