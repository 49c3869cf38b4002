import { requireSettings } from '../config.js';
import { openEncryption } from '../encryption/open-encryption.js';
import { createPostgresFeed } from '../feed/postgres-feed.js';
import { createGenerations } from '../generations/create-generations.js';
import { createLedger } from '../ledger/ledger.js';
import { migrate } from '../ledger/migrate.js';
import { openPostgres } from '../ledger/postgres.js';
import { createApiMetrics } from '../metrics/api-metrics.js';
import { createEndMetrics } from '../metrics/end-metrics.js';
import { createRegistry } from '../metrics/registry.js';
import { serveMetrics } from '../metrics/serve-metrics.js';
import { runMain } from '../run-main.js';
import { openSupport } from '../helpdesk/open-support.js';
import { connectClient } from '../temporal-connection.js';
import { startTracing } from '../tracing/start-tracing.js';
import { traceStarts } from '../tracing/temporal-interceptors.js';
import { runsUrl } from './service/page-config.js';
import { startApi } from './start-api.js';

/** A load balancer that asks /readyz every 2 s, and twice before it believes the answer, has seen it by then. */
const LEAVE_MS = 5_000;

/** The API by itself: `node dist/api/server.js`, as many as wanted beside as many workers. */
await runMain(async ({ config, log, shutdown }) => {
  const { databaseUrl, auth } = requireSettings(config, ['databaseUrl', 'auth', 'encryption']);
  const { target, uiUrl, taskQueue } = config.temporal;
  const tracing = config.tracing && startTracing(config.tracing, 'prompt-generation-api', log);
  shutdown.add('traces', async () => tracing?.stop());
  const registry = createRegistry();
  const metrics = createApiMetrics(registry);
  shutdown.add('metrics', await serveMetrics(config, { registry }, log));
  const database = openPostgres(databaseUrl, log);
  shutdown.add('database', () => database.close());
  await migrate(database);
  const encryption = await openEncryption(database, config.encryption, log);
  shutdown.add('encryption', () => encryption.close());
  const client = connectClient(target, encryption.dataConverter, tracing ? [traceStarts()] : []);
  shutdown.add('temporal', () => client.connection.close());
  const page = { demoModel: false, ...(uiUrl ? { temporalRunsUrl: runsUrl(uiUrl, target.namespace) } : {}) };
  const codec = { server: encryption.codecServer, ...(uiUrl ? { uiUrl } : {}) };
  const ledger = createLedger(database, { onEnd: createEndMetrics(registry) });
  const generations = createGenerations({
    client,
    ledger,
    log,
    limits: config.startLimits,
    taskQueue,
    assignKey: encryption.assign,
    forgetKeys: encryption.forgetDestroyed,
    onRead: metrics.countRead,
  });
  shutdown.add('feed', await generations.follow(createPostgresFeed(database, log)));
  const support = openSupport({
    database,
    ledger,
    generations,
    client,
    taskQueue,
    assignKey: encryption.assign,
    costs: config,
    log,
  });
  const leaveMs = config.shutdownDelayMs ?? LEAVE_MS;
  const api = await startApi({ config, auth, generations, ledger, support, log, metrics, page, codec, leaveMs });
  shutdown.add('api', () => api.stop());
  log.info({ url: api.url, namespace: target.namespace }, 'the API listens');
});
