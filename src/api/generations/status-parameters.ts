import { z } from 'zod';
import type { Parameter } from '../route.js';

/** Longer than this a proxy may take an answer for lost. */
const MAX_WAIT_SECONDS = 30;

const header = z.string().optional();

export const IF_NONE_MATCH = {
  in: 'header',
  name: 'If-None-Match',
  description: 'The ETag of the status you have: where it is still the same, the answer is a 304 without a body.',
  schema: header,
  example: '"4"',
} satisfies Parameter;

/** RFC 7240. Whatever it says besides is not for us. */
export const PREFER = {
  in: 'header',
  name: 'Prefer',
  description: `\`wait=n\`: answer at the next change (of what If-None-Match names, else of what it is now), after n seconds at the latest, ${MAX_WAIT_SECONDS} at most.`,
  schema: header,
  example: 'wait=25',
} satisfies Parameter;

export const LAST_EVENT_ID = {
  in: 'header',
  name: 'Last-Event-ID',
  description: 'Of events: the id of the last one you have.',
  schema: header,
  example: '4',
} satisfies Parameter;

export const TEXT = {
  in: 'query',
  name: 'text',
  description: 'Of events: `true` adds the text of the model as it is written.',
  schema: z.enum(['true', 'false']).optional(),
  example: 'true',
} satisfies Parameter;

/** The tags in an If-None-Match, without their quotes. */
export const tagsOf = (ifNoneMatch: string): string[] =>
  ifNoneMatch === '' ? [] : [...ifNoneMatch.matchAll(/"([^"]*)"/g)].map(([, tag]) => tag ?? '');

/** How long a Prefer asks to wait, in ms; 0: not at all. */
export function waitMsOf(prefer: string): number {
  if (prefer === '') return 0;
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})\b/i.exec(prefer) ?? [];
  return Math.min(Number(seconds ?? 0), MAX_WAIT_SECONDS) * 1_000;
}
