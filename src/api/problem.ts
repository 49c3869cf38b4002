import { z } from 'zod';
import type { ApiError } from './api-error.js';
import { ERROR_CODES, ERRORS, type ErrorCode } from './errors.js';
import { named } from './openapi/registry.js';

const general = {
  success: z.literal(false),
  message: z.string().meta({ description: 'For the user, in the words clients have always read.' }),
  type: z.string().meta({ description: 'Where the error is explained.' }),
  title: z.string(),
  status: z.int().meta({ description: 'The HTTP status.' }),
  detail: z.string(),
  code: z.enum(ERROR_CODES),
  request_id: z.string().meta({ description: 'The same as the header X-Request-Id; name it to support.' }),
};

/** The one body of all errors (RFC 9457), with what some of them add. */
export const Problem = named(
  'Error',
  z.object({
    ...general,
    error: z.string().optional().meta({ description: 'A sentence for the user, of a generation that failed.' }),
    tokens_remaining: z.int().optional().meta({ description: 'Of too small a balance: what could be spent.' }),
    task_id: z.string().optional().meta({ description: 'Of an error about one task.' }),
    index: z.int().optional().meta({ description: 'Of an error about one prompt of a batch: which one, from 0.' }),
    status_url: z.string().optional().meta({ description: 'Where to poll a task that still runs.' }),
  }),
);

/** The 404 of a task: `status` is the endpoint's own here. */
export const TaskNotFound = named('TaskNotFound', z.object({ ...general, status: z.literal('not_found') }));

/** The 503 of /readyz: `status` is the endpoint's own here. */
export const NotReady = named(
  'NotReady',
  z.object({
    ...general,
    status: z.literal('not_ready'),
    away: z.array(z.enum(['database', 'temporal', 'worker'])),
  }),
);

/** The schema of an error's body. */
export function problemSchema(code: ErrorCode): z.ZodType {
  if (code === 'task_not_found') return TaskNotFound;
  return code === 'not_ready' ? NotReady : Problem;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The body of an error, the only place where one is made. */
export function problemOf(error: ApiError, requestId: string): Record<string, unknown> {
  return {
    success: false,
    message: error.message,
    type: `/docs#error-${error.code}`,
    title: ERRORS[error.code].title,
    status: ERRORS[error.code].status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...error.members,
  };
}
