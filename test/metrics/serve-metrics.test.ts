import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../src/free-port.js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ConfigError, readConfig } from '../../src/config.js';
import { createApiMetrics } from '../../src/metrics/api-metrics.js';
import { serveMetrics, type MetricsSources } from '../../src/metrics/serve-metrics.js';

describe('Metrics', () => {
  const configOf = (port: number, explicit = true) => ({ ...readConfig({}), metrics: { port, explicit } });
  let logged: string;
  const log = pino({ level: 'debug' }, { write: (line: string) => (logged += line) });
  beforeEach(() => (logged = ''));

  const scrape = async (sources: MetricsSources, path = '/metrics') => {
    const port = await freePort();
    const stop = await serveMetrics(configOf(port), sources, log);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    } finally {
      await stop();
    }
  };

  it('are served on a port of their own', async () => {
    const registry = new Registry();
    createApiMetrics(registry).starts.inc({ outcome: 'started' });
    const { text } = await scrape({ registry });
    assert.match(text, /^generation_starts_total\{outcome="started"\} 1$/m);
    assert.match(text, /^generation_starts_total\{outcome="unavailable"\} 0$/m, 'at zero before its first event');
    assert.equal((await scrape({ registry }, '/')).status, 404);
  });

  it('of the SDK are in the same answer', async () => {
    const read = () => Promise.resolve('temporal_num_pollers 5\n');
    const registry = new Registry();
    createApiMetrics(registry);
    const { text } = await scrape({ registry, sdk: { read } });
    assert.match(text, /^generation_starts_total\{/m);
    assert.match(text, /^temporal_num_pollers 5$/m);
  });

  it('of ours are told, and the reason logged, where those of the SDK can not be had', async () => {
    const registry = new Registry();
    createApiMetrics(registry);
    const { status, text } = await scrape({ registry, sdk: { read: () => Promise.reject(new Error('gone')) } });
    assert.equal(status, 200);
    assert.match(text, /^generation_starts_total\{/m);
    assert.match(logged, /metrics of Temporal's SDK could not be read/);
    assert.match(logged, /gone/);
  });

  describe('where the port is taken', () => {
    const taken = createServer();
    let port: number;
    before(async () => {
      taken.listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      ({ port } = taken.address() as AddressInfo);
    });
    after(() => taken.close());

    it('that was asked for, are an error', async () => {
      await assert.rejects(serveMetrics(configOf(port), { registry: new Registry() }, log), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, new RegExp(`METRICS_PORT: port ${port} .* is taken`));
        return true;
      });
    });

    it('by default, are not served, and the log says so: many processes may run on one machine', async () => {
      const stop = await serveMetrics(configOf(port, false), { registry: new Registry() }, log);
      await stop();
      assert.match(logged, new RegExp(`No metrics of this process are served. METRICS_PORT: port ${port} .* is taken`));
    });
  });
});
