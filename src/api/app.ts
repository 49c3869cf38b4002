import Koa from 'koa';
import type { AuthConfig } from '../config.js';
import type { CodecServer } from '../encryption/codec-server.js';
import type { Generations } from '../generations/types.js';
import type { Ledger, StartLimits } from '../ledger/types.js';
import type { Logger } from '../log.js';
import type { Support } from '../helpdesk/types.js';
import { allowTemporalUi } from './codec/allow-temporal-ui.js';
import type { RequestState } from './context.js';
import { createTaskCookies } from './generations/task-cookie.js';
import type { ApiMetrics } from '../metrics/api-metrics.js';
import { closeWhenLeaving } from './middleware/close-when-leaving.js';
import { logRequests } from './middleware/log-requests.js';
import { measureRequests } from './middleware/measure-requests.js';
import { nameRequest } from './middleware/name-request.js';
import { traceRequests } from './middleware/trace-requests.js';
import { secureHeaders } from './middleware/secure-headers.js';
import { writeErrors } from './middleware/write-errors.js';
import { createRouter, rejectUnrouted } from './router.js';
import { createRoutes } from './routes.js';
import type { PageOptions } from './service/page-config.js';
import { createTokenVerifier } from './verify-token.js';

/** What the app needs from outside. */
export interface AppDeps {
  generations: Generations;
  ledger: Ledger;
  support: Support;
  /** Of each owner; those that `generations` applies. */
  limits: StartLimits;
  auth: AuthConfig;
  /** 32 bytes that all API processes share: the cookies of tasks are signed with it. */
  cookieKey: Uint8Array;
  log: Logger;
  metrics: ApiMetrics;
  page: PageOptions;
  /** `uiUrl`: the Temporal Web UI, whose pages may call the codec. */
  codec: { server: CodecServer; uiUrl?: string };
  /** Aborted when this process is about to stop: it is not ready any more, and its connections are to be closed. */
  leaving: AbortSignal;
  /** Aborted when the service stops: whoever waits for a generation is told to poll instead. */
  stopping: AbortSignal;
}

/** How Node says that nobody is there any more. */
const HUNG_UP = new Set<string | undefined>(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** The whole API, apart from listening. */
export function createApp(deps: AppDeps): Koa<RequestState, unknown> {
  const cookies = createTaskCookies(deps.cookieKey, deps.generations.now);
  const routes = createRoutes({ ...deps, cookies, codec: deps.codec.server });
  const authenticating = { verify: createTokenVerifier(deps.auth), cookies };
  const router = createRouter(routes, authenticating);
  // Nearly all requests are polls: they are not compared with every path there is.
  const polls = createRouter(
    routes.filter(({ method, access }) => method === 'get' && access === 'task'),
    authenticating,
  );

  const app = new Koa<RequestState, unknown>();
  // What is left for Koa itself: what happens while an answer is written.
  app.on('error', (err: Error & { code?: string }) => {
    if (HUNG_UP.has(err.code)) deps.log.debug({ code: err.code }, 'a client has gone before its answer was complete');
    else deps.log.warn({ err }, 'answer could not be sent');
  });
  app.use(closeWhenLeaving(deps.leaving));
  app.use(nameRequest(deps.log));
  app.use(traceRequests);
  app.use(measureRequests(deps.metrics));
  app.use(logRequests(deps.log));
  app.use(secureHeaders);
  app.use(allowTemporalUi(deps.codec.uiUrl));
  app.use(writeErrors);
  app.use(polls.routes());
  app.use(router.routes());
  app.use(rejectUnrouted(router));
  return app;
}
