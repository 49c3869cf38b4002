import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A hole in every version of one of our dependencies, as registries tell it. */
const HOLE = {
  id: 1,
  url: 'https://example.com/advisory',
  title: 'A grave hole',
  severity: 'high',
  vulnerable_versions: '>=0.0.0',
  cwe: [],
  cvss: { score: 9, vectorString: null },
};

describe('The audit of dependencies', function () {
  this.timeout(120_000);
  let registry: Server;
  let answer: { status: number; body: object };

  before(async () => {
    registry = createServer((request, response) => {
      request.resume();
      const isAudit = request.url?.includes('/advisories/') ?? false;
      const { status, body } = isAudit ? answer : { status: 404, body: {} };
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
  });
  after(() => {
    registry.closeAllConnections();
    registry.close();
  });

  const audit = () =>
    new Promise<{ code: unknown; output: string }>((resolve) => {
      const { port } = registry.address() as AddressInfo;
      const env = {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_fetch_retries: '0',
        npm_config_update_notifier: 'false',
      };
      execFile(process.execPath, ['scripts/audit.js'], { env }, (error, output) => {
        resolve({ code: error ? error.code : 0, output });
      });
    });

  it('passes where the registry knows of nothing', async () => {
    answer = { status: 200, body: {} };
    assert.deepEqual(await audit(), {
      code: 0,
      output: '0 dependencies with a high or critical hole (npm audit --omit=dev).\n',
    });
  });

  it('fails where it knows of a grave hole in something we ship', async () => {
    answer = { status: 200, body: { koa: [{ ...HOLE, name: 'koa' }] } };
    const { code, output } = await audit();
    assert.equal(code, 1, output);
    assert.match(output, /^koa: high: A grave hole https:\/\/example\.com\/advisory$/m);
  });

  it('says in one line, by a code of its own, that the registry can not be asked', async () => {
    answer = { status: 405, body: {} };
    const { code, output } = await audit();
    assert.equal(code, 3, output);
    assert.match(output, /^NOT AUDITED: the npm registry has no audit endpoint \(405 .*\)\.\n$/);
  });
});
