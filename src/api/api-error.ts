import { ERRORS, type ErrorCode } from './errors.js';

interface ErrorOptions {
  /** In place of the code's own sentence. */
  detail?: string;
  headers?: Record<string, string>;
  /** Further members of the body; they win over the general ones. */
  members?: Record<string, unknown>;
  /** Logged, never sent. */
  cause?: unknown;
}

/** Thrown anywhere in a request to answer it with an error of the list. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(
    readonly code: ErrorCode,
    { detail, headers, members, cause }: ErrorOptions = {},
  ) {
    const facts = ERRORS[code];
    super(detail ?? facts.detail, { cause });
    this.headers = { ...facts.headers, ...headers };
    this.members = { ...facts.members, ...members };
  }
}
