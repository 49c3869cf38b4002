import type { Server } from 'node:http';
import { ConfigError, type Config } from '../config.js';
import type { Logger } from '../log.js';
import { close } from './close.js';
import { createHttpServer } from './create-http-server.js';
import { listen } from './listen.js';
import type { ApiMetrics } from './metrics.js';

/**
 * Serves GET /metrics on its own port and returns how to stop that. Where the port is taken, one that the operator chose
 * is an error (ConfigError); the default one is not, as many processes may run on one machine.
 */
export async function serveMetrics(config: Config, metrics: ApiMetrics, log: Logger): Promise<() => Promise<void>> {
  const { port, explicit } = config.metrics;
  const server = createMetricsServer(metrics, log);
  try {
    await listen(server, { host: config.host, port, setting: 'METRICS_PORT' });
  } catch (error) {
    if (explicit || !(error instanceof ConfigError)) throw error;
    log.warn(`No metrics are served. ${error.message}`);
    return () => Promise.resolve();
  }
  return () => close(server);
}

function createMetricsServer({ registry }: ApiMetrics, log: Logger): Server {
  return createHttpServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry
      .metrics()
      .then((text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text))
      .catch((err: unknown) => {
        log.error({ err }, 'metrics could not be collected');
        response.writeHead(500).end();
      });
  });
}
