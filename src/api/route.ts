import type { z } from 'zod';
import type { RouteContext } from './context.js';
import type { ErrorCode } from './errors.js';
import type { HeaderName } from './openapi/headers.js';

/**
 * Who may call: anyone; a bearer of a token; one with the scope `support` or `admin`; one with the scope `admin`; or, for
 * `task`, a bearer of a token or of the cookie of that task or batch.
 */
export type Access = 'public' | 'owner' | 'support' | 'admin' | 'task';

/** One address and method: what the router mounts and what the OpenAPI document says, from the same lines. */
export interface Route {
  method: 'get' | 'post' | 'put' | 'delete';
  /** As OpenAPI writes it, `{name}` for a parameter; answered with and without the slash at its end. */
  path: string;
  access: Access;
  operation: Operation;
  /** Logged at level debug: it is called all the time. */
  quiet?: true;
  handle: (ctx: RouteContext) => Promise<void> | void;
}

/** What the document says about a route. */
export interface Operation {
  id: string;
  tag: 'Generations' | 'Accounts' | 'Templates' | 'Audit' | 'Support' | 'Codec' | 'Service';
  summary: string;
  parameters?: readonly Parameter[];
  /** Set: the body is read and parsed before the handler runs. A component. */
  body?: {
    schema: z.ZodType;
    example: unknown;
    /** 64 KiB where absent. */
    maxBytes?: number;
  };
  answers: Record<number, Answer>;
  /** Besides those that its access, its body and its parameters bring. */
  errors?: readonly ErrorCode[];
  /** Headers that its errors may have, besides their own. */
  errorHeaders?: readonly HeaderName[];
}

/** A parameter that `readParameter` reads and the document shows. */
export interface Parameter<T extends z.ZodType = z.ZodType> {
  in: 'path' | 'query' | 'header';
  name: string;
  description: string;
  schema: T;
  example: string | number;
  /** The code of its error; `invalid_request` where absent. */
  error?: ErrorCode;
}

/** An answer that is not an error. */
export interface Answer {
  description: string;
  /** A component; absent: not JSON. */
  schema?: z.ZodType;
  /** application/json where absent. */
  contentTypes?: readonly string[];
  /** Besides those, as text of another form. */
  textTypes?: readonly string[];
  /** Besides X-Request-Id. */
  headers?: readonly HeaderName[];
  /** By name. */
  examples?: Record<string, unknown>;
}

const ERRORS_OF_ACCESS = {
  public: [],
  owner: ['unauthorized', 'invalid_token', 'unavailable'],
  support: ['unauthorized', 'invalid_token', 'insufficient_scope', 'unavailable'],
  admin: ['unauthorized', 'invalid_token', 'insufficient_scope', 'unavailable'],
  task: ['unauthorized', 'invalid_token', 'unavailable'],
} as const satisfies Record<Access, readonly ErrorCode[]>;

const ERRORS_OF_BODY = ['invalid_json', 'payload_too_large', 'unsupported_media_type'] as const;

/** Every error a route may answer with, each once. */
export function errorsOf({ access, operation }: Route): ErrorCode[] {
  const { body, parameters = [], errors = [] } = operation;
  const ofParameters = parameters.map((parameter) => parameter.error ?? 'invalid_request');
  return [
    ...new Set<ErrorCode>([
      ...errors,
      ...ERRORS_OF_ACCESS[access],
      ...(body ? ERRORS_OF_BODY : []),
      ...ofParameters,
      'internal',
    ]),
  ];
}
