import { z } from 'zod';
import type { Route } from '../route.js';
import { errorAnswers, goodAnswers } from './answers.js';
import { HEADERS } from './headers.js';
import { components, reference } from './registry.js';

type Json = Record<string, unknown>;

const INFO = {
  title: 'Prompt generation API',
  version: '1',
  description: 'Turns a rough instruction into the system prompt of an AI assistant. The reference to read is /docs.',
};

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`sub` is the owner.' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'generation',
    description: 'Set by the start of a generation or a batch; reads the status of that one task or batch.',
  },
};

const SECURITY: Record<Route['access'], Json[]> = {
  public: [],
  owner: [{ bearer: [] }],
  support: [{ bearer: ['support'] }],
  admin: [{ bearer: ['admin'] }],
  task: [{ bearer: [] }, { cookie: [] }],
};

/** The OpenAPI 3.1 document of the routes, made of the schemas that validate their requests and type their answers. */
export function createDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.operation.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: componentSchemas(), headers: HEADERS, securitySchemes: SECURITY_SCHEMES },
  };
}

function operationOf(route: Route): Json {
  const { id, tag, summary, parameters = [], body } = route.operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    security: SECURITY[route.access],
    parameters: parameters.map(({ in: place, name, description, schema, example }) => ({
      in: place,
      name,
      description,
      required: !schema.safeParse(undefined).success,
      schema: toSchema(schema),
      example,
    })),
    ...(body
      ? {
          requestBody: {
            // No body is read as {}.
            required: !body.schema.safeParse({}).success,
            content: {
              'application/json': { schema: reference(body.schema), example: body.example },
              'text/plain': { schema: reference(body.schema) },
            },
          },
        }
      : {}),
    responses: { ...goodAnswers(route), ...errorAnswers(route) },
  };
}

const toSchema = (schema: z.ZodType): Json => tidy(z.toJSONSchema(schema, { io: 'input', override: plainTimes }));

function componentSchemas(): Json {
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(components, { io: 'input', uri, override: plainTimes });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, tidy(schema)]));
}

/** Without what belongs to a document of its own. */
function tidy({ $schema, $id, ...schema }: Json): Json {
  return schema;
}

/** `format` says it; the pattern behind it is a screenful. */
function plainTimes({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
}
