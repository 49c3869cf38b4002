import { Readable } from 'node:stream';
import { isEnded } from '../../contract/snapshot.js';
import { statusPath } from '../../contract/names.js';
import type { FoundStatus, Generations, StatusResult } from '../../generations/types.js';
import { callerOf, type RouteContext } from '../context.js';
import { ApiError } from '../api-error.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';
import { STATUS_EXAMPLES } from './examples.js';
import { nextStatus } from './next-status.js';
import { TASK_ID } from './parameters.js';
import { sendStatus } from './present-status.js';
import { GenerationStatus } from './schemas.js';
import { statusEvents } from './status-events.js';
import { IF_NONE_MATCH, LAST_EVENT_ID, PREFER, tagsOf, TEXT, waitMsOf } from './status-parameters.js';
import { tagOf } from './status-tag.js';

export const STATUS_PATH = statusPath('{task_id}');

const EVENTS = 'text/event-stream';

interface StatusDeps {
  generations: Pick<Generations, 'status' | 'subscribe' | 'textOf'>;
  /** Aborted when this process is about to stop: whoever waits is answered, and comes back to another one. */
  leaving: AbortSignal;
}

/** GET: the state of a task: at once, when it has changed, or as a stream of its changes. */
export function readStatus(deps: StatusDeps): Route {
  return {
    method: 'get',
    path: STATUS_PATH,
    access: 'task',
    operation,
    quiet: true,
    async handle(ctx) {
      const asked = readAsked(ctx);
      ctx.state.taskId = asked.taskId;
      ctx.vary('Accept');
      if (ctx.method === 'GET' && ctx.accepts('application/json', EVENTS) === EVENTS) await stream(ctx, deps, asked);
      else await answer(ctx, deps, asked);
    },
  };
}

/** All parameters, whichever way is taken: what is no good in one is no good in the other. */
function readAsked(ctx: RouteContext) {
  return {
    taskId: readParameter(ctx, TASK_ID),
    known: tagsOf(readParameter(ctx, IF_NONE_MATCH)),
    waitMs: waitMsOf(readParameter(ctx, PREFER)),
    lastEventId: readParameter(ctx, LAST_EVENT_ID) ?? '',
    withText: readParameter(ctx, TEXT) === 'true',
  };
}

type Asked = ReturnType<typeof readAsked>;

async function answer(ctx: RouteContext, { generations, leaving }: StatusDeps, asked: Asked): Promise<void> {
  const { taskId, known, waitMs } = asked;
  const caller = callerOf(ctx);
  const result =
    waitMs === 0
      ? await generations.status(taskId, caller)
      : await nextStatus(generations, { taskId, caller, known, waitMs, signal: AbortSignal.any([gone(ctx), leaving]) });
  const found = foundIn(result);
  const tag = tagOf(found);
  sendStatus(ctx, found);
  ctx.set('ETag', `"${tag}"`);
  if (waitMs > 0) ctx.set('Preference-Applied', `wait=${waitMs / 1_000}`);
  if (known.includes(tag)) ctx.status = 304;
}

async function stream(ctx: RouteContext, { generations, leaving }: StatusDeps, asked: Asked): Promise<void> {
  const { taskId, lastEventId, withText } = asked;
  const caller = callerOf(ctx);
  const first = foundIn(await generations.status(taskId, caller));
  if (isEnded(first.snapshot) && tagOf(first) === lastEventId) {
    // It has heard the end: a browser that is told so does not connect again.
    ctx.status = 204;
    return;
  }
  ctx.type = EVENTS;
  // nginx, and others that know this word of it, hand on each event as it comes.
  ctx.set('X-Accel-Buffering', 'no');
  const signal = AbortSignal.any([gone(ctx), leaving]);
  ctx.body = Readable.from(statusEvents(generations, { taskId, caller, first, lastEventId, withText, signal }));
}

/** Aborted when the connection is closed. */
function gone(ctx: RouteContext): AbortSignal {
  const closed = new AbortController();
  ctx.res.once('close', () => {
    closed.abort();
  });
  return closed.signal;
}

function foundIn(result: StatusResult): FoundStatus {
  switch (result.outcome) {
    case 'found':
      return result;
    case 'not_found':
      throw new ApiError('task_not_found');
    case 'unavailable':
      throw new ApiError('unavailable');
  }
}

const operation: Operation = {
  id: 'readGenerationStatus',
  tag: 'Generations',
  summary: 'Read the state of a task',
  parameters: [TASK_ID, IF_NONE_MATCH, PREFER, LAST_EVENT_ID, TEXT],
  answers: {
    200: {
      description:
        'The task is known, whatever its state. With `Accept: text/event-stream`: its changes as server-sent events up to its end, `status` with this body and the tag as the id, and `text` with `{attempt, offset, text}`.',
      schema: GenerationStatus,
      headers: ['Retry-After', 'ETag', 'Preference-Applied'],
      examples: STATUS_EXAMPLES,
      textTypes: [EVENTS],
    },
    204: { description: 'Of events: the reader has heard the end already.', contentTypes: [] },
    304: {
      description: 'Nothing new since If-None-Match.',
      contentTypes: [],
      headers: ['Retry-After', 'ETag', 'Preference-Applied'],
    },
  },
  errors: ['task_not_found'],
};
