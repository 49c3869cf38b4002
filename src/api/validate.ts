import type { z } from 'zod';
import type { RouteContext } from './context.js';
import { ApiError } from './api-error.js';
import type { ErrorCode } from './errors.js';
import type { Parameter } from './route.js';

/** The value as the schema types it. Throws an ApiError that names everything wrong with it. */
export function validate<T extends z.ZodType>(
  schema: T,
  value: unknown,
  { code = 'invalid_request', name }: { code?: ErrorCode | undefined; name?: string } = {},
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const sentences = parsed.error.issues.map((issue) => {
    const where = [name, ...issue.path].filter((part) => part !== undefined).join('.');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  throw new ApiError(code, { detail: sentences.join('; ') });
}

/** A parameter of the request as its schema types it. Throws an ApiError where it is missing or wrong. */
export function readParameter<T extends z.ZodType>(ctx: RouteContext, parameter: Parameter<T>): z.output<T> {
  const { name, schema, error } = parameter;
  return validate(schema, rawValue(ctx, parameter), { code: error, name });
}

function rawValue(ctx: RouteContext, { in: place, name }: Parameter): unknown {
  switch (place) {
    case 'path':
      return isWellEncoded(ctx.path) ? ctx.params[name] : '';
    case 'query':
      return ctx.query[name];
    case 'header':
      return ctx.headers[name.toLowerCase()];
  }
}

// The router hands on what it cannot decode as it came; that is no name of anything.
function isWellEncoded(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
