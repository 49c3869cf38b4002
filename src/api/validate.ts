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

const NOT_ENCODED = 'The query of the URL is not percent-encoded UTF-8.';

function rawValue(ctx: RouteContext, { in: place, name }: Parameter): unknown {
  switch (place) {
    case 'path':
      // The router hands on what it cannot decode as it came; that is no name of anything.
      return isWellEncoded(ctx.path) ? ctx.params[name] : '';
    case 'query':
      if (ctx.querystring === '') return undefined;
      // Else bytes that are no UTF-8 (a lone surrogate, too) would be read as U+FFFD, which nobody asked for.
      if (!isWellEncoded(ctx.querystring)) throw new ApiError('invalid_request', { detail: NOT_ENCODED });
      return ctx.query[name];
    case 'header':
      return ctx.headers[name.toLowerCase()];
  }
}

/** Whether a part of a URL is percent-encoded UTF-8. */
function isWellEncoded(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
