import { z } from 'zod';
import { named } from '../openapi/registry.js';
import { createDocument } from '../openapi/document.js';
import type { Operation, Route } from '../route.js';
import { sendFile, staticFile } from './static-files.js';

/** GET /openapi.json: the document of the given routes and of this one. */
export function openapi(routes: readonly Route[]): Route {
  const route: Route = {
    method: 'get',
    path: '/openapi.json',
    access: 'public',
    operation,
    handle: (ctx) => {
      sendFile(ctx, loaded);
    },
  };
  const loaded = staticFile(JSON.stringify(createDocument([...routes, route]), null, 2), 'application/json');
  return route;
}

const operation: Operation = {
  id: 'openapi',
  tag: 'Service',
  summary: 'This API as an OpenAPI 3.1 document',
  answers: {
    200: {
      description: 'The document.',
      schema: named('OpenApiDocument', z.looseObject({ openapi: z.string() })),
      headers: ['ETag'],
      examples: {},
    },
  },
};
