import assert from 'node:assert/strict';
import { ERRORS, type ErrorCode } from '../../../src/api/errors.js';
import { PROBLEM_TYPE, problemSchema } from '../../../src/api/problem.js';
import { errorsOf, type Route } from '../../../src/api/route.js';

/** An answer as the tests see it. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The JSON; an empty object where the answer is none. */
  body: Record<string, unknown>;
}

/** Fails unless the answer is one that the document promises for its route: status, headers, type and body. */
export function assertDocumented(routes: readonly Route[], method: string, path: string, answer: Answer): void {
  assert.match(answer.headers.get('x-request-id') ?? '', /^[A-Za-z0-9._-]{1,128}$/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  const route = routes.find((candidate) => answersTo(candidate, method, path));
  if (answer.status >= 400) assertDocumentedError(route, answer);
  else if (answer.status !== 304 || route?.operation.answers[304]) assertDocumentedAnswer(route, answer);
}

const LIMITS = ['ratelimit', 'ratelimit-policy'];

function assertDocumentedAnswer(route: Route | undefined, { status, headers, text, body }: Answer): void {
  const documented = route?.operation.answers[status];
  assert.ok(documented, `${route?.operation.id ?? 'An unknown route'} answers ${status}, which is not documented`);
  const { contentTypes = ['application/json'], textTypes = [], schema } = documented;
  const type = headers.get('content-type') ?? '';
  const types = [...contentTypes, ...textTypes].map((documentedType) => `${documentedType}; charset=utf-8`);
  assert.ok((types.length === 0 ? [''] : types).includes(type), type);
  if (schema && text !== '' && !textTypes.some((textType) => type.startsWith(textType)))
    assert.deepEqual(schema.parse(body), body, 'the body has members that are not documented');
  for (const name of ['location', 'retry-after', 'set-cookie', 'idempotent-replayed', 'etag', ...LIMITS]) {
    const promised = documented.headers?.some((header) => header.toLowerCase() === name) ?? false;
    if (headers.has(name)) assert.ok(promised, `the header ${name} is not documented`);
  }
}

function assertDocumentedError(route: Route | undefined, { status, headers, text, body }: Answer): void {
  assert.equal(headers.get('content-type'), PROBLEM_TYPE);
  if (text === '') return;
  const code = body.code as ErrorCode;
  assert.equal(ERRORS[code].status, status);
  assert.deepEqual(problemSchema(code).parse(body), body, 'the error has members that are not documented');
  assert.equal(body.type, `/docs#error-${code}`);
  assert.equal(body.request_id, headers.get('x-request-id'));
  assert.doesNotMatch(text, /node_modules|\.ts:|\.js:|SELECT|127\.0\.0\.1|postgres/, 'the error tells of the inside');
  for (const name of Object.keys(ERRORS[code].headers ?? {})) assert.ok(headers.has(name), `${name} is missing`);
  const promised = route?.operation.errorHeaders?.map((name) => name.toLowerCase()) ?? [];
  for (const name of LIMITS) {
    if (headers.has(name)) assert.ok(promised.includes(name), `the header ${name} is not documented`);
  }
  if (route)
    assert.ok(errorsOf(route).includes(code), `${route.operation.id} answers ${code}, which is not documented`);
  else assert.ok(['not_found', 'method_not_allowed'].includes(code), `${code} where there is no route`);
}

function answersTo(route: Route, method: string, path: string): boolean {
  const pattern = route.path
    .replace(/[.]/g, '\\.')
    .replace(/\{\w+\}/g, '[^/]+')
    .replace(/\/$/, '');
  const asked = method === 'HEAD' ? 'GET' : method;
  return route.method.toUpperCase() === asked && new RegExp(`^${pattern}/?$`).test(path.split('?', 1)[0]!);
}
