import { Readable } from 'node:stream';
import { ApiError } from '../api-error.js';
import type { RouteContext } from '../context.js';
import { gone } from '../gone.js';
import type { Operation } from '../route.js';
import type { Followed, Read } from './followed.js';
import { nextStatus } from './next-status.js';
import { statusEvents } from './status-events.js';
import { IF_NONE_MATCH, LAST_EVENT_ID, PREFER, tagsOf, waitMsOf } from './status-parameters.js';

const EVENTS = 'text/event-stream';

/** How a state is asked for. */
export interface Asked {
  known: string[];
  waitMs: number;
  lastEventId: string;
  withText: boolean;
}

/** Whichever way is taken; any text will do. */
export const readAsked = (ctx: RouteContext): Asked => ({
  known: tagsOf(ctx.get(IF_NONE_MATCH.name)),
  waitMs: waitMsOf(ctx.get(PREFER.name)),
  lastEventId: ctx.get(LAST_EVENT_ID.name),
  withText: false,
});

/** Answers with a state: at once, when it has changed, or as a stream of its changes. */
export async function answerStatus<Found extends { outcome: 'found' }>(
  ctx: RouteContext,
  followed: Followed<Found>,
  asked: Asked,
  leaving: AbortSignal,
): Promise<void> {
  ctx.set('Vary', 'Accept');
  // Made only where something is waited for: most polls are answered at once.
  const signal = (): AbortSignal => gone(ctx, leaving);
  if (ctx.method === 'GET' && wantsEvents(ctx)) await stream(ctx, followed, asked, signal);
  else await answer(ctx, followed, asked, signal);
}

async function answer<Found extends { outcome: 'found' }>(
  ctx: RouteContext,
  followed: Followed<Found>,
  { known, waitMs }: Asked,
  signal: () => AbortSignal,
): Promise<void> {
  const found = foundIn(
    waitMs === 0 ? await followed.read() : await nextStatus(followed, { known, waitMs, signal: signal() }),
  );
  const tag = followed.tagOf(found);
  if (!followed.isEnded(found)) ctx.set('Retry-After', '1');
  ctx.type = 'json';
  ctx.body = followed.toJson(found);
  ctx.set('ETag', `"${tag}"`);
  if (waitMs > 0) ctx.set('Preference-Applied', `wait=${waitMs / 1_000}`);
  if (known.includes(tag)) ctx.status = 304;
}

async function stream<Found extends { outcome: 'found' }>(
  ctx: RouteContext,
  followed: Followed<Found>,
  { lastEventId, withText }: Asked,
  signal: () => AbortSignal,
): Promise<void> {
  const first = foundIn(await followed.read());
  if (followed.isEnded(first) && followed.tagOf(first) === lastEventId) {
    // It has heard the end: a browser that is told so does not connect again.
    ctx.status = 204;
    return;
  }
  ctx.type = EVENTS;
  // nginx, and others that know this word of it, hand on each event as it comes.
  ctx.set('X-Accel-Buffering', 'no');
  ctx.body = Readable.from(statusEvents(followed, { first, lastEventId, withText, signal: signal() }));
}

/** Whoever names no type of text gets JSON, without a closer look. */
const wantsEvents = (ctx: RouteContext): boolean =>
  ctx.get('Accept').includes('text/') && ctx.accepts('application/json', EVENTS) === EVENTS;

function foundIn<Found extends { outcome: 'found' }>(result: Read<Found>): Found {
  switch (result.outcome) {
    case 'found':
      return result;
    case 'not_found':
      throw new ApiError('task_not_found');
    case 'unavailable':
      throw new ApiError('unavailable');
  }
}

export const STATUS_PARAMETERS = [IF_NONE_MATCH, PREFER, LAST_EVENT_ID];

const HEADERS = ['Retry-After', 'ETag', 'Preference-Applied'] as const;

/** What every read of a state may be answered with. */
export const STATUS_ANSWERS = {
  200: { headers: HEADERS, textTypes: [EVENTS] },
  204: { description: 'Of events: the reader has heard the end already.', contentTypes: [] },
  304: { description: 'Nothing new since If-None-Match.', contentTypes: [], headers: HEADERS },
} satisfies Record<number, Partial<Operation['answers'][number]>>;
