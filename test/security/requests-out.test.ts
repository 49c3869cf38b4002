import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from '../../src/config.js';
import { composeRequest } from '../../src/llm/compose-request.js';
import { LlmError } from '../../src/llm/llm.js';
import { createOpenAiLlm } from '../../src/llm/openai-llm.js';
import { startCanary, type Canary } from './support/canary.js';

describe('a request of the service to elsewhere', () => {
  let canary: Canary;
  beforeEach(async () => {
    canary = await startCanary();
  });
  afterEach(() => canary.stop());

  for (const status of [301, 302, 303, 307, 308]) {
    it(`does not follow the model's ${status} to another server: neither the key nor the text gets there`, async () => {
      const model = createServer((request, response) => {
        request.resume();
        response.writeHead(status, { Location: `${canary.url}/v1/chat/completions` }).end();
      }).listen(0, '127.0.0.1');
      await once(model, 'listening');
      const { port } = model.address() as AddressInfo;
      const llm = createOpenAiLlm({ baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-test', model: 'm' });
      const call = llm.generate(composeRequest('You sell shoes.', 'a private text'), {
        maxOutputTokens: 10,
        signal: new AbortController().signal,
        onText: () => undefined,
      });
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof LlmError, String(error));
        assert.deepEqual([error.message, error.retryable], [`The model answered ${status}`, false]);
        return true;
      });
      assert.deepEqual(canary.requests, []);
      model.closeAllConnections();
      model.close();
    });
  }

  it('goes only where a setting says, and docs/security.md names each of those', () => {
    const settings = [...readFileSync('.env.example', 'utf8').matchAll(/^(\w+_(?:URL|ADDRESS))=/gm)].map(
      ([, name]) => name!,
    );
    assert.ok(settings.length >= 5, 'the settings are missing');
    const text = readFileSync('docs/security.md', 'utf8');
    for (const name of settings) assert.ok(text.includes(`\`${name}\``), `docs/security.md does not name ${name}`);
  });

  it('is never to a file or by a script, as the addresses in settings are checked at the start', () => {
    for (const name of ['OPENAI_BASE_URL', 'AUTH_JWKS_URL', 'TEMPORAL_UI_URL', 'BUY_TOKENS_URL', 'SUPPORT_URL']) {
      for (const address of ['file:///etc/passwd', 'javascript:alert(1)', 'data:text/html,x', '//evil.example', 'x']) {
        assert.throws(() => readConfig({ [name]: address }), new RegExp(name), `${name}=${address}`);
      }
    }
  });
});
