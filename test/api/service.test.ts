import assert from 'node:assert/strict';
import { get as httpGet } from 'node:http';
import { runsUrl } from '../../src/api/service/page-config.js';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { eventually } from '../support/eventually.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

describe('the service itself', () => {
  const api = useTestApi({
    page: { demoModel: true, demoToken: 'demo-token', temporalRunsUrl: runsUrl('http://127.0.0.1:8233/', 'default') },
  });
  const get = (path: string, headers: Record<string, string> = {}) => api().call('GET', path, { headers });

  /** With exactly these headers; `fetch` adds some of its own and forbids others. */
  const rawGet = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      httpGet(api().url + path, { headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => {
          resolve({ status: answer.statusCode, text });
        });
      }).on('error', reject);
    });

  it('is alive while it answers', async () => {
    assert.deepEqual((await get('/livez')).body, { status: 'alive' });
  });

  describe('is ready', () => {
    it('when all parts are there', async () => {
      const { status, body } = await get('/readyz');
      assert.deepEqual([status, body], [200, { status: 'ready' }]);
    });

    const awayIs = async (parts: string[]) => {
      const { status, body } = await get('/readyz');
      assert.deepEqual([status, body.status, body.away], [503, 'not_ready', parts]);
    };

    it('not while one is away, and says which', async () => {
      api().generations.unhealthy = ['temporal'];
      api().ledger.outage = new Error('connect ECONNREFUSED 10.0.0.5:5432');
      await awayIs(['database', 'temporal']);
      api().generations.unhealthy = ['worker'];
      await awayIs(['database', 'worker']);
    });

    it('while one is slow that answered a moment ago, and not once it has been silent for seconds', async () => {
      assert.equal((await get('/readyz')).status, 200);
      api().generations.unhealthy = ['temporal'];
      assert.equal((await get('/readyz')).status, 200);
      await eventually(() => awayIs(['temporal']), { everyMs: 500 });
    });

    it('not once it is about to stop, while it answers all else, each answer the last of its connection', async () => {
      api().leaving.abort();
      const ready = await api().call('GET', '/readyz');
      assert.deepEqual([ready.status, ready.body.code, ready.body.away], [503, 'not_ready', []]);
      assert.equal(ready.body.detail, 'This process is stopping.');
      const alive = await api().call('GET', '/livez');
      assert.equal(alive.status, 200);
      for (const { headers } of [ready, alive]) assert.equal(headers.get('connection'), 'close');
    });
  });

  it('answers 404 where there is nothing, and 405 with what there is', async () => {
    for (const path of ['/nothing', '/api/v1/', '/docs/more', '/%2e%2e/package.json', '/../package.json', '/%ZZ']) {
      assert.equal((await get(path)).body.code, 'not_found', path);
    }
    const answer = await api().call('DELETE', GENERATE_ASYNC_PATH);
    assert.equal(answer.body.code, 'method_not_allowed');
    assert.equal(answer.headers.get('allow'), 'POST');
  });

  it('answers an unexpected error without a word of the inside, and logs it whole', async () => {
    api().generations.bug = new Error('SELECT secret FROM inside');
    const token = await tokenOf('acct-1');
    const { status, body, text } = await api().call('POST', GENERATE_ASYNC_PATH, {
      token,
      body: { manual_prompt: 'x' },
    });
    assert.deepEqual([status, body.code], [500, 'internal']);
    assert.doesNotMatch(text, /SELECT|secret/);
    assert.match(JSON.stringify(api().logLines), /SELECT secret FROM inside/);
  });

  describe('serves its page', () => {
    for (const path of ['/', '/docs', '/docs/guide', '/docs/simulator']) {
      it(`${path}, which a browser need not load twice`, async () => {
        const first = await get(path);
        assert.equal(first.status, 200);
        assert.equal(first.headers.get('content-type'), 'text/html; charset=utf-8');
        assert.equal(first.headers.get('cache-control'), 'no-cache');
        const again = await rawGet(path, { 'If-None-Match': first.headers.get('etag')! });
        assert.deepEqual(again, { status: 304, text: '' });
      });
    }

    it('and the files it loads, which never change under their name', async () => {
      const { text } = await get('/');
      // Beside itself, so that they are found behind any prefix of a proxy.
      const files = [...text.matchAll(/(?:src|href)="\.(\/assets\/[^"]+\.(js|css))"/g)];
      assert.deepEqual(files.map(([, , kind]) => kind).sort(), ['css', 'js']);
      for (const [, path, kind] of files) {
        const file = await get(path!);
        assert.equal(file.headers.get('content-type'), `text/${kind === 'js' ? 'javascript' : 'css'}; charset=utf-8`);
        assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      }
    });

    it('small to browsers that can unpack it, and the same to others', async () => {
      const zipped = await get('/', { 'Accept-Encoding': 'gzip' });
      assert.equal(zipped.headers.get('content-encoding'), 'gzip');
      const plain = await get('/', { 'Accept-Encoding': 'identity' });
      assert.equal(plain.headers.get('content-encoding'), null);
      assert.equal(plain.text, zipped.text);
    });

    it('and nothing beside what was built', async () => {
      for (const path of ['/assets/none.js', '/assets/..%2findex.html', '/assets/%2e%2e%2f%2e%2e%2fserver.js']) {
        assert.equal((await get(path)).status, 404, path);
      }
    });

    it('with a policy that lets in no foreign script, and no script in the page itself', async () => {
      for (const path of ['/', '/docs']) {
        const { headers, text } = await get(path);
        const policy = headers.get('content-security-policy') ?? '';
        assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
        assert.doesNotMatch(policy, /unsafe|\*|https?:/);
        assert.doesNotMatch(text, /<script(?![^>]* src=)|<style|\son\w+=|style="/);
      }
    });

    it('and gives the demo token to a page on its own machine only', async () => {
      const tokenFor = async (headers: Record<string, string>) =>
        (JSON.parse((await rawGet('/page-config.json', headers)).text) as { demo_token?: string }).demo_token;
      assert.equal(await tokenFor({ Host: '127.0.0.1:3000' }), 'demo-token');
      assert.equal(await tokenFor({ Host: 'localhost:3000', Origin: 'http://localhost:3000' }), 'demo-token');
      const proxied = { Host: '127.0.0.1:3000', 'X-Forwarded-For': '203.0.113.7' };
      assert.equal(await tokenFor(proxied), undefined, 'somebody behind a proxy on this machine');
      assert.equal(await tokenFor({ Host: 'evil.example' }), undefined, 'a name that was made to point here');
      assert.equal(await tokenFor({ Host: '127.0.0.1:3000', Origin: 'https://evil.example' }), undefined);
    });
  });
});
