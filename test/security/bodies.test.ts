import assert from 'node:assert/strict';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { eventually } from '../support/eventually.js';
import { useTestApi } from '../api/support/test-api.js';
import { adminToken, tokenOf } from '../api/support/tokens.js';
import { openRaw, sendRaw, statusOf } from './support/raw.js';

const BODY = '{"manual_prompt":"x"}';

describe('a body that means harm', () => {
  const api = useTestApi();
  let head: string;

  beforeEach(async () => {
    head = `POST ${GENERATE_ASYNC_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenOf('acct-1')}\r\n`;
  });

  it('changes no prototype: such members are refused or only data', async () => {
    const token = await adminToken();
    const poison = '{"polluted": true, "isAdmin": true}';
    const account = '/api/v1/admin/accounts/acct-1/';
    for (const [method, path] of [
      ['POST', GENERATE_ASYNC_PATH],
      ['PUT', account],
      ['POST', `${account}grants/`],
      ['PUT', '/api/v1/admin/prompt-templates/x/'],
    ] as const) {
      for (const body of [
        `{"__proto__": ${poison}, "manual_prompt": "x"}`,
        `{"manual_prompt": "x", "a": {"__proto__": ${poison}}}`,
        `{"manual_prompt": "x", "\\u005f_proto__": ${poison}}`,
        `{"manual_prompt": "x", "constructor": {"prototype": ${poison}}}`,
        `{"manual_prompt": {"__proto__": ${poison}, "constructor": {"prototype": ${poison}}}}`,
        `{"tokens": 5, "reason": "x", "template": "x", "subscription": {"constructor": {"prototype": ${poison}}}}`,
      ]) {
        const headers = { 'Idempotency-Key': '__proto__' };
        const { status } = await api().call(method, path, { token, headers, body });
        assert.ok(status < 500, `${method} ${path} answers ${status} to ${body}`);
      }
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.equal(Object.hasOwn(Object.prototype, 'isAdmin'), false);
  });

  it('finds nothing under the names that every object has', async () => {
    const token = await adminToken();
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      assert.equal((await api().call('GET', `/assets/${name}`)).status, 404, name);
      assert.equal((await api().call('GET', `/api/v1/admin/accounts/${name}/`, { token })).status, 404, name);
      const query = `?${name}[polluted]=1&${name}=1&limit=1`;
      assert.equal(
        (await api().call('GET', `/api/v1/web-knowledge/generations/${query}`, { token })).status,
        200,
        name,
      );
    }
  });

  it('is refused by its length alone, before it is sent', async () => {
    const connection = await openRaw(api().url);
    connection.socket.write(`${head}Content-Length: 1000000000\r\n\r\n`);
    await eventually(() => {
      assert.equal(statusOf(connection.received()), 413);
    });
    connection.socket.destroy();
    await connection.closed;
    assert.deepEqual(api().generations.starts, []);
  });

  it('is refused without a length as soon as it is too large', async () => {
    const connection = await openRaw(api().url);
    connection.socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    // Never ended: the answer comes in the middle of it.
    connection.socket.write(`11000\r\n{"manual_prompt":"${'x'.repeat(0x11000 - 18)}\r\n`);
    await eventually(() => {
      assert.equal(statusOf(connection.received()), 413);
    });
    connection.socket.destroy();
    await connection.closed;
  });

  it('that is longer than it says is cut there, and the rest is no request', async () => {
    const answer = await sendRaw(api().url, `${head}Content-Length: ${BODY.length}\r\n\r\n${BODY}"and more"\r\n\r\n`);
    assert.match(answer, /HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/);
    for (const { manualPrompt } of api().generations.starts) assert.equal(manualPrompt, 'x');
  });

  it('that unpacks to too much is refused in the middle, and not unpacked to its end', async () => {
    const connection = await openRaw(api().url);
    connection.socket.write(`${head}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const zip = createGzip();
    zip.on('data', (part: Buffer) => {
      connection.socket.write(
        Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
      );
    });
    // A megabyte of blanks in about a kilobyte, and the gzip never ends.
    zip.write(Buffer.alloc(1_000_000, ' '));
    zip.flush();
    await eventually(() => {
      assert.equal(statusOf(connection.received()), 413);
    });
    connection.socket.destroy();
    await connection.closed;
    zip.destroy();
  });

  it('that unpacks to twenty megabytes is refused, however it is packed', async () => {
    const token = await tokenOf('acct-1');
    const bomb = Buffer.alloc(20_000_000, ' ');
    for (const [encoding, packed] of [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateSync(bomb)],
      ['br', brotliCompressSync(bomb)],
    ] as const) {
      const headers = { 'Content-Encoding': encoding, 'Content-Type': 'application/json' };
      const { status } = await api().call('POST', GENERATE_ASYNC_PATH, {
        token,
        headers,
        body: new Uint8Array(packed),
      });
      assert.equal(status, 413, encoding);
    }
  });

  it('is refused where it is packed twice or in a way that is not known', async () => {
    const token = await tokenOf('acct-1');
    for (const encoding of ['gzip, gzip', 'zstd', 'compress', 'x', 'identity, gzip']) {
      const headers = { 'Content-Encoding': encoding };
      const body = new Uint8Array(gzipSync(gzipSync(BODY)));
      const { status } = await api().call('POST', GENERATE_ASYNC_PATH, { token, headers, body });
      assert.equal(status, 415, encoding);
    }
  });

  it('may be nested as deeply as it fits in, and hold any number', async () => {
    const token = await adminToken();
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const objects = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    const account = '/api/v1/admin/accounts/acct-1/';
    for (const body of [`{"manual_prompt":"x","a":${deep}}`, `{"manual_prompt":"x","a":${objects}}`]) {
      assert.equal((await api().call('POST', GENERATE_ASYNC_PATH, { token, body })).status, 202);
      assert.equal((await api().call('PUT', account, { token, body })).status, 400);
    }
    for (const tokens of ['1e999', '-1', '9007199254740993', '0.1', '"5"', '1e12001', 'NaN']) {
      const headers = { 'Idempotency-Key': 'k' };
      const body = `{"tokens":${tokens},"reason":"x"}`;
      assert.equal((await api().call('POST', `${account}grants/`, { token, headers, body })).status, 400, tokens);
    }
  });

  it('that is no UTF-8 is read with U+FFFD for each bad part, and so never as a character that hides in it', async () => {
    const token = await tokenOf('acct-1');
    // A lone byte, "/" and "A" in too many bytes, half a surrogate pair, a character broken off.
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xe0, 0x81, 0x81], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      const body = new Uint8Array([...Buffer.from('{"manual_prompt":"'), ...bytes, ...Buffer.from('"}')]);
      assert.equal((await api().call('POST', GENERATE_ASYNC_PATH, { token, body })).status, 202);
      assert.match(api().generations.starts.at(-1)!.manualPrompt, /^\uFFFD+$/);
    }
  });
});
