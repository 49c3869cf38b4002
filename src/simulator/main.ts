import { startApi } from '../api/start-api.js';
import { ConfigError } from '../config.js';
import { openEmbeddedDatabase } from '../dev/embedded-database.js';
import { PLAIN_CODEC_SERVER } from '../encryption/codec-server.js';
import { createLedger } from '../ledger/ledger.js';
import { createSupportLedger } from '../ledger/support-ledger.js';
import { migrate } from '../ledger/migrate.js';
import { createApiMetrics } from '../metrics/api-metrics.js';
import { createRegistry } from '../metrics/registry.js';
import { serveMetrics } from '../metrics/serve-metrics.js';
import { runMain } from '../run-main.js';
import { createCurrentRequest } from './current-request.js';
import { openSignIn } from './sign-in.js';
import { createSimulatedGenerations } from './simulated-generations.js';
import { createSimulatedSupport } from './simulated-support.js';
import { welcome } from './welcome.js';

/** `npm run simulate`: the HTTP API over scenarios, everything in memory. */
await runMain(
  async ({ config, log, shutdown }) => {
    if (config.production) {
      throw new ConfigError('NODE_ENV=production: the simulator generates nothing. Run it without, or `npm start`.');
    }
    const registry = createRegistry();
    const metrics = createApiMetrics(registry);
    shutdown.add('metrics', await serveMetrics(config, { registry }, log));
    const database = await openEmbeddedDatabase();
    shutdown.add('database', () => database.close());
    await migrate(database);
    const ledger = createLedger(database);

    const request = createCurrentRequest();
    const { minimumTokens, maxOutputTokens, startLimits: limits } = config;
    const generations = createSimulatedGenerations({ ledger, request, log, limits, minimumTokens, maxOutputTokens });
    shutdown.add('tasks', () => generations.stop());

    const records = createSupportLedger(database);
    const support = createSimulatedSupport({ ledger, records, generations, costs: config, log });
    const { auth, token } = await openSignIn(ledger, config.auth);
    const page = { demoModel: true, ...(token === null ? {} : { demoToken: token }) };
    const codec = { server: PLAIN_CODEC_SERVER };
    const { wrap } = request;
    const served = { config, auth, generations, ledger, support, log, metrics, page, codec, wrap };
    const api = await startApi({ ...served, leaveMs: 0 });
    shutdown.add('api', () => api.stop());

    process.stdout.write(`${welcome({ apiUrl: api.url, token })}\n`);
  },
  { readable: true },
);
