import { ApiError } from '../api-error.js';
import { ERRORS, type ErrorCode } from '../errors.js';
import { EXAMPLE_TASK_ID } from '../generations/examples.js';
import { statusPath } from '../../contract/names.js';
import { PROBLEM_TYPE, problemOf, problemSchema } from '../problem.js';
import { errorsOf, type Route } from '../route.js';
import { headerReferences } from './headers.js';
import { reference } from './registry.js';

type Json = Record<string, unknown>;

const TEXT = { schema: { type: 'string' } };

/** The answers of a route that are not errors, by status. */
export function goodAnswers({ operation }: Route): Json {
  const answers = Object.entries(operation.answers).map(([status, answer]) => {
    const {
      description,
      schema,
      contentTypes = ['application/json'],
      textTypes = [],
      headers = [],
      examples = {},
    } = answer;
    const content = schema ? { schema: reference(schema), examples: wrapped(examples) } : TEXT;
    const byType = Object.fromEntries([
      ...contentTypes.map((type) => [type, content]),
      ...textTypes.map((type) => [type, TEXT]),
    ]) as Json;
    return [status, { description, headers: headerReferences(headers), content: byType }];
  });
  return Object.fromEntries(answers) as Json;
}

/** The errors of a route by status, each with an example of its body. */
export function errorAnswers(route: Route): Json {
  const codes = errorsOf(route);
  const { errorHeaders = [] } = route.operation;
  const statuses = new Set(codes.map((code) => ERRORS[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      errorAnswer(
        codes.filter((code) => ERRORS[code].status === status),
        errorHeaders,
      ),
    ]),
  );
}

function errorAnswer(codes: readonly ErrorCode[], errorHeaders: readonly string[]): Json {
  const schemas = [...new Set(codes.map(problemSchema))].map(reference);
  return {
    description: codes.map((code) => `${code}: ${ERRORS[code].title}`).join('; '),
    headers: headerReferences([
      ...new Set([...codes.flatMap((code) => Object.keys(ERRORS[code].headers ?? {})), ...errorHeaders]),
    ]),
    content: {
      [PROBLEM_TYPE]: {
        schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas },
        examples: wrapped(Object.fromEntries(codes.map((code) => [code, exampleOf(code)]))),
      },
    },
  };
}

const running = { task_id: EXAMPLE_TASK_ID, status_url: statusPath(EXAMPLE_TASK_ID) };
const EXAMPLE_MEMBERS: Partial<Record<ErrorCode, Json>> = {
  not_ready: { away: ['worker'] },
  still_running: running,
  insufficient_tokens: { tokens_remaining: 250 },
  no_tokens_remaining: { tokens_remaining: 0 },
};

const exampleOf = (code: ErrorCode): Json =>
  problemOf(new ApiError(code, { members: EXAMPLE_MEMBERS[code] ?? {} }), 'a1b2c3');

const wrapped = (examples: Json): Json =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
