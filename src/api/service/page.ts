import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { z } from 'zod';
import { ApiError } from '../api-error.js';
import type { Parameter, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { HTML, inRepository, readRepositoryFile, sendFile, staticFile, type StaticFile } from './static-files.js';

/** What `npm run build` makes of web/. */
const BUILT = 'dist/web/';
const ASSETS = `${BUILT}assets/`;

const CONTENT_TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' };

const fileParameter = (example: string) =>
  ({
    in: 'path',
    name: 'file',
    description: 'As the page names it; its name has a hash of its content.',
    schema: z.string(),
    example,
  }) satisfies Parameter;

/** GET / and the files it loads. */
export function page(): Route[] {
  const index = staticFile(readRepositoryFile(`${BUILT}index.html`), HTML);
  const assets = readAssets();
  const [example = 'index.js'] = assets.keys();
  const file = fileParameter(example);
  return [
    {
      method: 'get',
      path: '/',
      access: 'public',
      operation: {
        id: 'page',
        tag: 'Service',
        summary: 'The web client',
        answers: { 200: { description: 'A page.', contentTypes: [HTML], headers: ['ETag'] } },
      },
      handle: (ctx) => {
        sendFile(ctx, index);
      },
    },
    {
      method: 'get',
      path: '/assets/{file}',
      access: 'public',
      operation: {
        id: 'pageAsset',
        tag: 'Service',
        summary: 'A script or style sheet of the web client',
        parameters: [file],
        answers: {
          200: {
            description: 'The file; it never changes.',
            contentTypes: Object.values(CONTENT_TYPES),
            headers: ['ETag'],
          },
        },
        errors: ['not_found'],
      },
      handle: (ctx) => {
        const asset = assets.get(readParameter(ctx, file));
        if (!asset) throw new ApiError('not_found');
        sendFile(ctx, asset);
      },
    },
  ];
}

function readAssets(): ReadonlyMap<string, StaticFile> {
  const assets = new Map<string, StaticFile>();
  for (const name of readdirSync(inRepository(ASSETS))) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) throw new Error(`The web client has a file of a kind that is not served: ${name}`);
    assets.set(name, staticFile(readRepositoryFile(ASSETS + name), contentType, { immutable: true }));
  }
  return assets;
}
