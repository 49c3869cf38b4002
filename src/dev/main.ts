import { join, resolve } from 'node:path';
import { codecEndpoint } from '../api/codec/codec.js';
import { urlOf } from '../api/listen.js';
import { runsUrl } from '../api/service/page-config.js';
import { startApi } from '../api/start-api.js';
import { requireSettings } from '../config.js';
import { openEncryption } from '../encryption/open-encryption.js';
import { createLocalFeed } from '../feed/local-feed.js';
import { createPostgresFeed } from '../feed/postgres-feed.js';
import { createGenerations } from '../generations/create-generations.js';
import { createLedger } from '../ledger/ledger.js';
import { migrate } from '../ledger/migrate.js';
import { openPostgres } from '../ledger/postgres.js';
import { createApiMetrics } from '../metrics/api-metrics.js';
import { createEndMetrics } from '../metrics/end-metrics.js';
import { addLedgerMetrics } from '../metrics/ledger-metrics.js';
import { createRegistry } from '../metrics/registry.js';
import { openSdkMetrics } from '../metrics/sdk-metrics.js';
import { serveMetrics } from '../metrics/serve-metrics.js';
import { createWorkerMetrics } from '../metrics/worker-metrics.js';
import { runMain } from '../run-main.js';
import { openSupport } from '../helpdesk/open-support.js';
import { installRuntime, startWorker } from '../start-worker.js';
import { connectClient, connectWorker } from '../temporal-connection.js';
import { startTracing } from '../tracing/start-tracing.js';
import { traceStarts } from '../tracing/temporal-interceptors.js';
import { claimDataFolder } from './claim-data-folder.js';
import { openDemo } from './demo-account.js';
import { startDemoModel } from './demo-model.js';
import { openEmbeddedDatabase } from './embedded-database.js';
import { startEmbeddedTemporal } from './embedded-temporal.js';
import { welcome } from './welcome.js';

/** `npm start`: the whole service in one process, with an embedded part wherever the settings name no other. */
await runMain(
  async ({ config, log, shutdown }) => {
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    if (config.production) requireSettings(config, ['auth', 'llm', 'encryption']);
    shutdown.add('data folder', await claimDataFolder(config.dataDir));

    const tracing = config.tracing && startTracing(config.tracing, 'prompt-generation', log);
    shutdown.add('traces', async () => tracing?.stop());
    const registry = createRegistry();
    const sdk = await openSdkMetrics();
    shutdown.add('metrics', await serveMetrics(config, { registry, sdk }, log));

    const codecUrl = config.encryption?.on && config.port > 0 ? codecEndpoint(urlOf(config.host, config.port)) : null;
    const temporal = config.temporal.external ? null : await startEmbeddedTemporal(config, log, say, codecUrl);
    if (temporal) shutdown.addService('Temporal server', temporal);
    const target = temporal?.target ?? config.temporal.target;

    const database = config.databaseUrl
      ? openPostgres(config.databaseUrl, log)
      : await openEmbeddedDatabase(join(config.dataDir, 'postgres'));
    shutdown.add('database', () => database.close());
    await migrate(database);
    const encryption = await openEncryption(database, config.encryption, log);
    shutdown.add('encryption', () => encryption.close());
    const ledger = createLedger(database, { onEnd: createEndMetrics(registry) });
    addLedgerMetrics(registry, ledger, log);

    const feed = config.databaseUrl ? createPostgresFeed(database, log) : createLocalFeed(database);

    const demoModel = config.llm === undefined;
    const model = config.llm ? { config: config.llm, stop: () => Promise.resolve() } : await startDemoModel();
    const llm = model.config;
    shutdown.add('model', () => model.stop());

    installRuntime(log, sdk.exporter);
    const connection = await connectWorker(target);
    shutdown.add("the worker's connection", () => connection.close());
    const { namespace } = target;
    const work = { config, connection, namespace, ledger, llm, log, encryption, feed };
    const worker = await startWorker({ ...work, metrics: createWorkerMetrics(registry), tracing });
    shutdown.addService('worker', worker);

    const { auth, demoToken } = config.auth
      ? { auth: config.auth, demoToken: null }
      : await openDemo(ledger, config.dataDir);

    const client = connectClient(target, encryption.dataConverter, tracing ? [traceStarts()] : []);
    shutdown.add("the API's connection", () => client.connection.close());
    const temporalUiUrl = config.temporal.uiUrl ?? temporal?.uiUrl ?? null;
    const page = {
      demoModel,
      ...(demoToken === null ? {} : { demoToken }),
      ...(temporalUiUrl === null ? {} : { temporalRunsUrl: runsUrl(temporalUiUrl, target.namespace) }),
    };
    const metrics = createApiMetrics(registry);
    const generations = createGenerations({
      client,
      ledger,
      log,
      limits: config.startLimits,
      taskQueue: config.temporal.taskQueue,
      alone: config.databaseUrl === undefined,
      assignKey: encryption.assign,
      forgetKeys: encryption.forgetDestroyed,
      onRead: metrics.countRead,
    });
    shutdown.add('feed', await generations.follow(feed));
    const support = openSupport({
      database,
      ledger,
      generations,
      client,
      taskQueue: config.temporal.taskQueue,
      assignKey: encryption.assign,
      costs: config,
      log,
    });
    const codec = { server: encryption.codecServer, ...(temporalUiUrl === null ? {} : { uiUrl: temporalUiUrl }) };
    // Nobody stands between it and its users.
    const leaveMs = config.shutdownDelayMs ?? 0;
    const api = await startApi({ config, auth, generations, ledger, support, log, metrics, page, codec, leaveMs });
    shutdown.add('api', () => api.stop());

    const where = config.databaseUrl ? 'PostgreSQL at DATABASE_URL' : `embedded, in ${resolve(config.dataDir)}`;
    say(welcome({ apiUrl: api.url, temporalUiUrl, model: llm.model, demoModel, database: where, demoToken }));
  },
  { readable: true },
);
