import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createHttpServer } from '../../src/api/create-http-server.js';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { eventually } from '../support/eventually.js';
import { useTestApi } from '../api/support/test-api.js';
import { tokenOf } from '../api/support/tokens.js';
import { openRaw, statusOf, type RawConnection } from './support/raw.js';

/** Short, so that the test need not wait; those of the service are in src/api/create-http-server.ts. */
const LIMITS = { headersMs: 200, requestMs: 400, checkEveryMs: 50, silenceMs: 1_000, keepAliveMs: 200 };

describe('a client that is slow on purpose', () => {
  const api = useTestApi({ limits: { ...LIMITS, connections: 20 } });

  /** Sends a byte now and then, for as long as the server lets it. */
  const drip = (connection: RawConnection, byte: string) => {
    const timer = setInterval(() => connection.socket.write(byte), 20);
    return connection.closed.finally(() => {
      clearInterval(timer);
    });
  };
  const openConnections = () => promisify(api().server.getConnections.bind(api().server))();
  const isAlive = async () => {
    assert.equal((await api().call('GET', '/livez')).status, 200);
  };

  it('is cut off where it sends nothing', async () => {
    assert.equal(statusOf(await (await openRaw(api().url)).closed), 408);
  });

  it('is cut off in the middle of its headers', async () => {
    const connection = await openRaw(api().url);
    connection.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    assert.equal(statusOf(await drip(connection, 'x')), 408);
  });

  it('is cut off in the middle of its body, with and without a length', async () => {
    const head = `POST ${GENERATE_ASYNC_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenOf('acct-1')}\r\n`;
    for (const [framing, byte] of [
      ['Content-Length: 60000\r\n\r\n{', ' '],
      ['Transfer-Encoding: chunked\r\n\r\n', '1\r\n \r\n'],
    ] as const) {
      const connection = await openRaw(api().url);
      connection.socket.write(head + framing);
      await drip(connection, byte);
    }
    assert.deepEqual(api().generations.starts, []);
    await isAlive();
  });

  it('is cut off where it reads no answer', async () => {
    const connection = await openRaw(api().url);
    connection.socket.pause();
    connection.socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
    await eventually(async () => {
      assert.equal(await openConnections(), 1);
    });
    await eventually(async () => {
      assert.equal(await openConnections(), 0);
    });
    connection.socket.destroy();
  });

  it('is cut off between requests', async () => {
    const connection = await openRaw(api().url);
    connection.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(statusOf(await connection.closed), 200);
  });

  it('that has many connections gets no more than the server bears, and others are answered afterwards', async () => {
    const held = await Promise.all(Array.from({ length: 40 }, () => openRaw(api().url)));
    const answers = await Promise.all(held.map(({ closed }) => closed));
    const statuses = answers.map(statusOf);
    assert.equal(statuses.filter((status) => status === 408).length, 20);
    assert.equal(statuses.filter((status) => status === 0).length, 20, 'the others were closed at once');
    await isAlive();
  });

  it('has from the service itself the limits that docs/security.md tells', () => {
    const { headersTimeout, requestTimeout, timeout, maxConnections } = createHttpServer(() => undefined);
    const told = [headersTimeout, requestTimeout, timeout].map((ms) => ms / 1_000);
    const [, ...figures] =
      /(\d+) s for headers, (\d+) s for a request, (\d+) s of silence; ([\d,]+) connections/.exec(
        readFileSync('docs/security.md', 'utf8'),
      ) ?? [];
    assert.deepEqual(
      [...told, maxConnections],
      figures.map((figure) => Number(figure.replace(',', ''))),
    );
  });
});
