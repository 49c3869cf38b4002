import type { Route } from '../route.js';
import { HTML, readRepositoryFile, sendFile, staticFile } from './static-files.js';

const FILES = [
  { id: 'page', path: '/', file: 'web/index.html', contentType: HTML },
  { id: 'pageScript', path: '/app.js', file: 'web/app.js', contentType: 'text/javascript' },
  { id: 'pageStyle', path: '/style.css', file: 'web/style.css', contentType: 'text/css' },
];

/** GET / and the files it loads. */
export function page(): Route[] {
  return FILES.map(({ id, path, file, contentType }) => {
    const loaded = staticFile(readRepositoryFile(file), contentType);
    return {
      method: 'get',
      path,
      access: 'public',
      operation: {
        id,
        tag: 'Service',
        summary: `The web client: ${file}`,
        answers: { 200: { description: 'The file.', contentType, headers: ['ETag'] } },
      },
      handle: (ctx) => {
        sendFile(ctx, loaded);
      },
    };
  });
}
