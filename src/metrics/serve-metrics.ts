import type { Server } from 'node:http';
import type { Registry } from 'prom-client';
import { close } from '../api/close.js';
import { createHttpServer } from '../api/create-http-server.js';
import { listen } from '../api/listen.js';
import { ConfigError, type Config } from '../config.js';
import type { Logger } from '../log.js';
import type { SdkMetrics } from './sdk-metrics.js';

/** What one scrape gets: all that a process knows, its worker's SDK included. */
export interface MetricsSources {
  registry: Registry;
  sdk?: Pick<SdkMetrics, 'read'>;
}

/**
 * Serves GET /metrics on its own port and returns how to stop that. Where the port is taken, one that the operator chose
 * is an error (ConfigError); the default one is not, as many processes may run on one machine.
 */
export async function serveMetrics(config: Config, sources: MetricsSources, log: Logger): Promise<() => Promise<void>> {
  const { port, explicit } = config.metrics;
  const server = createMetricsServer(sources, log);
  try {
    await listen(server, { host: config.host, port, setting: 'METRICS_PORT' });
  } catch (error) {
    if (explicit || !(error instanceof ConfigError)) throw error;
    log.warn(`No metrics of this process are served. ${error.message}`);
    return () => Promise.resolve();
  }
  return () => close(server);
}

function createMetricsServer({ registry, sdk }: MetricsSources, log: Logger): Server {
  /** A part that can't be had must not hide the others. */
  const readSdk = async (): Promise<string> => {
    try {
      return (await sdk?.read()) ?? '';
    } catch (err) {
      log.warn({ err }, "the metrics of Temporal's SDK could not be read");
      return '';
    }
  };
  return createHttpServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    Promise.all([registry.metrics(), readSdk()])
      .then((texts) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(texts.join('')))
      .catch((err: unknown) => {
        log.error({ err }, 'metrics could not be collected');
        response.writeHead(500).end();
      });
  });
}
