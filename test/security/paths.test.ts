import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { useTestApi } from '../api/support/test-api.js';
import { tokenOf } from '../api/support/tokens.js';
import { getRaw, sendRaw, statusOf } from './support/raw.js';

const UP = ['..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '..%00', '....', '..;'];
const SLASHES = ['/', '//', '%2f', '%2F', '%5c', '\\', '%252f', '%c0%af', '/./'];
/** Files of this repository, from dist/web/assets/ on, and one of every machine. */
const FILES: [depth: number, file: string][] = [
  [1, 'index.html'],
  [3, 'package.json'],
  [3, '.env'],
  [3, 'src/config.ts'],
  [12, 'etc/passwd'],
];

describe('a path', () => {
  const api = useTestApi();

  it('leads to no file but those that were built for the page, however it climbs', async function () {
    this.timeout(60_000);
    for (const up of UP) {
      for (const slash of SLASHES) {
        for (const [depth, file] of FILES) {
          const path = `/assets/${Array(depth).fill(up).join(slash)}${slash}${file.replaceAll('/', slash)}`;
          const answer = await getRaw(api().url, path);
          assert.ok([400, 404].includes(statusOf(answer)), `${path}: ${answer.slice(0, 200)}`);
        }
      }
    }
  });

  it('of a file that is served is exact: nothing is cut off, joined or decoded twice', async () => {
    const index = readFileSync('dist/web/index.html', 'utf8');
    const [, asset = ''] = /assets\/([\w-]+\.js)/.exec(index) ?? [];
    assert.equal(statusOf(await getRaw(api().url, `/assets/${asset}`)), 200);
    for (const path of [
      `/assets/${asset}%00`,
      `/assets/${asset}%00.html`,
      `/assets/./${asset}`,
      `/assets/x/../${asset}`,
      `/assets//${asset}`,
      `//assets/${asset}`,
      `/assets%2f${asset}`,
      `/assets/${asset}.`,
      `/assets/${asset}%20`,
      `/assets/${asset}::$DATA`,
      '/assets/',
      '/assets',
      '/index.html',
      '/docs.html',
      '/docs/../docs',
      '/.git/config',
      '/dist/web/index.html',
    ]) {
      assert.ok([400, 404].includes(statusOf(await getRaw(api().url, path))), path);
    }
  });

  it('redirects nowhere', async () => {
    for (const path of [
      '//evil.example',
      '//evil.example/..',
      '/%2f%2fevil.example',
      '/\\evil.example',
      '/%5cevil.example/',
      '/docs//evil.example',
      '/?next=https://evil.example',
      '/docs?url=https://evil.example&redirect=//evil.example',
    ]) {
      const answer = await getRaw(api().url, path);
      assert.doesNotMatch(answer, /^HTTP\/1\.1 3/, path);
      assert.doesNotMatch(answer, /^(location|refresh):/im, path);
      assert.doesNotMatch(answer, /evil/, path);
    }
  });

  it('as a whole address is this service’s all the same, and CONNECT and TRACE are not answered', async () => {
    const asked = 'GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n';
    assert.match(await sendRaw(api().url, asked), /alive/);
    for (const method of ['CONNECT', 'TRACE', 'TRACK', 'PROPFIND']) {
      const answer = await sendRaw(api().url, `${method} /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.ok([0, 400, 405].includes(statusOf(answer)), `${method}: ${answer}`);
    }
  });

  it('that is no UTF-8, or no id, is answered like one that leads nowhere', async () => {
    const token = await tokenOf('acct-1', { scope: 'admin' });
    for (const part of ['%ff', '%c0%af', '%ed%a0%80', '%', '%zz', '%00', '%2e%2e', '..%2f..%2fx', '%f8%88%80%80%80']) {
      for (const path of [
        `/api/v1/web-knowledge/generate-prompt-async/status/${part}/`,
        `/api/v1/admin/accounts/${part}/`,
        `/${part}`,
      ]) {
        const answer = await getRaw(api().url, path, { Authorization: `Bearer ${token}` });
        assert.ok([400, 404].includes(statusOf(answer)), `${path}: ${answer}`);
      }
    }
  });
});
