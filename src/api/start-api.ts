import { setMaxListeners } from 'node:events';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuthConfig, Config } from '../config.js';
import type { Generations } from '../generations/types.js';
import type { Ledger } from '../ledger/types.js';
import type { Logger } from '../log.js';
import type { Support } from '../helpdesk/types.js';
import type { ApiMetrics } from '../metrics/api-metrics.js';
import { createApp, type AppDeps } from './app.js';
import { close } from './close.js';
import { createHttpServer } from './create-http-server.js';
import { listen, urlOf } from './listen.js';
import type { PageOptions } from './service/page-config.js';

export interface ApiDeps {
  config: Config;
  auth: AuthConfig;
  generations: Generations;
  ledger: Ledger;
  support: Support;
  log: Logger;
  metrics: ApiMetrics;
  page: Omit<PageOptions, 'links'>;
  codec: AppDeps['codec'];
  /** How long it says that it is not ready, when stopped, before it takes no more: until every load balancer has seen it. */
  leaveMs: number;
  /** Puts something around the answering of every request. */
  wrap?: (answer: RequestListener) => RequestListener;
}

export interface RunningApi {
  url: string;
  /** Is not ready for `leaveMs`, then takes no new connection, answers what is under way, closes; that takes 5 s at most. */
  stop(): Promise<void>;
}

/**
 * Starts the API.
 * @throws ConfigError where its port is taken; whatever the ledger throws where the database is away.
 */
export async function startApi(deps: ApiDeps): Promise<RunningApi> {
  const { config, auth, generations, ledger, support, log, metrics, page, codec, leaveMs } = deps;
  const { wrap = (answer: RequestListener) => answer } = deps;
  const leaving = new AbortController();
  // Everybody who waits listens to it.
  setMaxListeners(0, leaving.signal);
  const stopping = new AbortController();
  const app = createApp({
    generations,
    ledger,
    support,
    limits: config.startLimits,
    auth,
    cookieKey: await ledger.sharedKey('task-cookie'),
    log,
    metrics,
    page: { ...page, links: config.pageLinks },
    codec,
    leaving: leaving.signal,
    stopping: stopping.signal,
  });
  const handler = app.callback();
  const answer: RequestListener = (request, response) => void handler(request, response);
  const server = createHttpServer(wrap(answer));
  const port = await listen(server, { host: config.host, port: config.port, setting: 'PORT' });
  return {
    url: urlOf(config.host, port),
    async stop() {
      leaving.abort();
      await delay(leaveMs);
      stopping.abort();
      await close(server);
    },
  };
}
