import type { FailureCode } from '../contract/failures.js';

interface ErrorFacts {
  status: number;
  title: string;
  /** The sentence a caller reads where nothing more exact can be said. */
  detail: string;
  headers?: Record<string, string>;
  /** Members of its body besides the general ones, or in their place. */
  members?: Record<string, unknown>;
}

const RETRY_AFTER = { 'Retry-After': '2' };

/** What may be wrong with a request, or away when it comes. */
const REQUEST_ERRORS = {
  invalid_json: { status: 400, title: 'Invalid JSON', detail: 'The body is not a JSON object.' },
  invalid_request: { status: 400, title: 'Invalid request', detail: 'A field or a parameter is not valid.' },
  manual_prompt_required: { status: 400, title: 'No manual prompt', detail: 'manual_prompt is required' },
  prompts_required: {
    status: 400,
    title: 'No prompts',
    detail: 'manual_prompts is required: a list of at least one prompt',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'Invalid Idempotency-Key',
    detail: 'The header Idempotency-Key must have 1 to 255 characters.',
  },
  unauthorized: {
    status: 401,
    title: 'Not signed in',
    detail: 'Send a token: Authorization: Bearer <JWT>.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  invalid_token: {
    status: 401,
    title: 'Invalid token',
    detail: 'The token is malformed, expired or not ours.',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  },
  insufficient_scope: {
    status: 403,
    title: 'Not allowed',
    detail: 'This needs a token with the scope admin.',
    headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope", scope="admin"' },
  },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  task_not_found: {
    status: 404,
    title: 'Task not found',
    detail: 'Task not found. It may have expired or never existed.',
    // Here `status` is the endpoint's own.
    members: { status: 'not_found' },
  },
  account_not_found: { status: 404, title: 'Account not found', detail: 'There is no account of this owner.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not answer that method; the header Allow lists those it does.',
  },
  not_retryable: { status: 409, title: 'Not retryable', detail: 'The task cannot run again.' },
  payload_too_large: { status: 413, title: 'Body too large', detail: 'The body is larger than 64 KiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send JSON, as application/json or text/plain.',
  },
  manual_prompt_too_long: {
    status: 422,
    title: 'Manual prompt too long',
    detail: 'manual_prompt may have at most 10000 characters.',
  },
  too_many_prompts: {
    status: 422,
    title: 'Too many prompts',
    detail: 'manual_prompts may have at most 100 prompts.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key reused',
    detail: 'This Idempotency-Key was used before, with another body.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Too many requests. Please try again later.',
    headers: RETRY_AFTER,
  },
  not_ready: {
    status: 503,
    title: 'Not ready',
    detail: 'A part of the service is away.',
    members: { status: 'not_ready' },
  },
  overloaded: {
    status: 503,
    title: 'Too much to do',
    detail: 'The service has too much to do right now. Nothing was started. Please try again.',
    headers: RETRY_AFTER,
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    detail: 'The service cannot do this right now. Please try again.',
    headers: RETRY_AFTER,
  },
  still_running: {
    status: 504,
    title: 'Still running',
    detail: 'The prompt is still being generated. Poll status_url for it.',
  },
} as const satisfies Record<string, ErrorFacts>;

/** How a generation that somebody waits for can end without a prompt; in a status these are its `error_code`. */
const FAILURE_ERRORS = {
  insufficient_tokens: { status: 402, title: 'Insufficient tokens', detail: 'The account has too few tokens.' },
  no_tokens_remaining: { status: 402, title: 'Insufficient tokens', detail: 'The account has no tokens left.' },
  no_subscription: { status: 402, title: 'No subscription', detail: 'The account has no active subscription.' },
  subscription_expired: { status: 402, title: 'Subscription expired', detail: 'The subscription has expired.' },
  subscription_deactivated: {
    status: 402,
    title: 'Subscription deactivated',
    detail: 'The subscription is deactivated.',
  },
  cancelled: { status: 409, title: 'Generation cancelled', detail: 'The generation was cancelled.' },
  internal: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side. Please try again.',
  },
  timed_out: { status: 504, title: 'Generation timed out', detail: 'The generation took too long.' },
} as const satisfies Record<FailureCode, ErrorFacts>;

/** `code` of an error body. */
export type ErrorCode = keyof typeof REQUEST_ERRORS | FailureCode;

/** Every error this API answers with. docs/api.md and the OpenAPI document name the same ones; a test compares them. */
export const ERRORS: Record<ErrorCode, ErrorFacts> = { ...REQUEST_ERRORS, ...FAILURE_ERRORS };

/** All codes, in the order of the list above. */
export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
