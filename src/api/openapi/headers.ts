/** Headers of answers, as components of the document. */
export const HEADERS = {
  'X-Request-Id': header('As sent, or made; name it to support.', '3f1b8a52-0c77-4c0e-9a44-6b7a3f5d2e10'),
  Location: header('The status_url.', '/api/v1/web-knowledge/generate-prompt-async/status/…/'),
  'Retry-After': header('Seconds to wait before the next request; of a status: only while the task runs.', '1'),
  'RateLimit-Policy': header(
    'The limits of each owner (draft-ietf-httpapi-ratelimit-headers): `starts` in `w` seconds, and tasks `running` at a time.',
    '"starts";q=60;w=60, "running";q=20;qu="concurrent-requests"',
  ),
  RateLimit: header(
    'What is left to you: `r` starts for the next `t` seconds, and `r` tasks besides those that run. Not there where it was not asked for.',
    '"starts";r=58;t=41, "running";r=18',
  ),
  'Set-Cookie': header(
    'Lets a browser poll this one task with no header: HttpOnly, SameSite=Strict, for its status_url only.',
    'generation=…; path=/api/v1/…/status/…/; samesite=strict; httponly',
  ),
  'Idempotent-Replayed': header('`true`: the same request came before, and this is its answer.', 'true'),
  'WWW-Authenticate': header('What is wrong with the token.', 'Bearer error="invalid_token"'),
  ETag: header('Names this version of what is answered; send it as If-None-Match.', '"4"'),
  'Preference-Applied': header('What of Prefer was heeded.', 'wait=25'),
} as const;

/** A header that the document describes. */
export type HeaderName = keyof typeof HEADERS;

/** References to headers of an answer; each answer has X-Request-Id. */
export function headerReferences(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(['X-Request-Id', ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function header(description: string, example: string): { description: string; schema: object; example: string } {
  return { description, schema: { type: 'string' }, example };
}
