import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fixture } from '@copilotkit/aimock';
import { APIError } from 'openai';
import { composeRequest } from '../../src/llm/compose-request.js';
import { LlmError, type GenerateOptions } from '../../src/llm/llm.js';
import { createOpenAiLlm } from '../../src/llm/openai-llm.js';
import { toLlmError } from '../../src/llm/to-llm-error.js';
import { eventually } from '../support/eventually.js';
import { refusesWith, says, startTestLlm, type TestLlm } from '../support/llm-server.js';

describe('The client of an OpenAI-compatible model', () => {
  const started: TestLlm[] = [];
  after(() => Promise.all(started.map((llm) => llm.stop())));

  const model = async (answer?: Parameters<typeof startTestLlm>[0], options?: Partial<Fixture>) => {
    const server = await startTestLlm(answer, options);
    started.push(server);
    return server;
  };
  const ask = (
    server: Pick<TestLlm, 'config'>,
    { text = 'Be kind.', ...options }: { text?: string } & Partial<GenerateOptions> = {},
  ) =>
    createOpenAiLlm(server.config).generate(composeRequest('You sell shoes.', text), {
      maxOutputTokens: 500,
      signal: new AbortController().signal,
      onText: () => undefined,
      ...options,
    });
  const isError = (retryable: boolean, message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof LlmError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /sk-|internal\.host|127\.0\.0\.1/);
    assert.equal(error.retryable, retryable);
    return true;
  };

  it('streams with temperature 0.7, the cap it is given, and the instruction apart from the text', async () => {
    const server = await model();
    let written = '';
    const answer = await ask(server, { onText: (text) => (written += text) });
    assert.deepEqual(answer, {
      text: 'You are the assistant of a shoe store.',
      model: 'test-model-2026',
      usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
      finishReason: 'stop',
    });
    assert.equal(written, answer.text);
    const [sent] = server.requests();
    assert.equal(sent?.model, 'test-model');
    assert.equal(sent.temperature, 0.7);
    assert.equal(sent.max_tokens, 500);
    assert.equal(sent.stream, true);
    assert.deepEqual(
      sent.messages.map(({ role }) => role),
      ['system', 'user'],
    );
    const [system] = sent.messages;
    assert.ok(typeof system?.content === 'string' && system.content.includes('You sell shoes.'));
    assert.equal(sent.messages[1]?.content, 'Be kind.');
  });

  it('estimates the usage where the server counts none, or nonsense', async () => {
    const server = await model(() => ({ ...says('You are kind.'), usage: { total_tokens: 1.5 } }));
    const { usage } = await ask(server);
    assert.ok(Number.isSafeInteger(usage.total_tokens) && usage.total_tokens > 100);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  for (const status of [408, 409, 429, 500, 503]) {
    it(`finds a ${status} worth another attempt, and makes none itself`, async () => {
      const server = await model(() => refusesWith(status));
      await assert.rejects(ask(server), isError(true, new RegExp(`The model answered ${status} \\(some_code\\)`)));
      assert.equal(server.requests().length, 1);
    });
  }

  for (const status of [400, 401, 403, 404, 422]) {
    it(`finds a ${status} not worth another attempt`, async () => {
      await assert.rejects(
        ask(await model(() => refusesWith(status))),
        isError(false, new RegExp(`answered ${status}`)),
      );
    });
  }

  it('hands on how long the model asked to wait', async () => {
    const error: unknown = await ask(await model(() => refusesWith(429, 7))).catch((cause: unknown) => cause);
    assert.equal(error instanceof LlmError && error.retryAfterMs, 7_000);
  });

  it('counts a date until which it is to wait by the clock of the model, not by that of its own host', () => {
    const headers = new Headers({
      date: 'Sun, 06 Nov 1994 08:49:37 GMT',
      'retry-after': 'Sun, 06 Nov 1994 08:49:44 GMT',
    });
    assert.equal(toLlmError(new APIError(429, undefined, undefined, headers)).retryAfterMs, 7_000);
  });

  it('finds a connection that breaks in the middle of the answer worth another attempt', async () => {
    const server = await model(() => says('A long answer that never comes to its end'), {
      chunkSize: 2,
      truncateAfterChunks: 3,
    });
    await assert.rejects(ask(server), isError(true, /connection to the model failed/));
  });

  it('finds a model that is not there worth another attempt, without naming its address', async () => {
    const server = await startTestLlm();
    await server.stop();
    await assert.rejects(ask(server), isError(true, /connection to the model failed \(ECONNREFUSED\)/));
  });

  it('finds garbage in place of an answer worth another attempt', async () => {
    const garbage = createServer((_, response) => {
      response.setHeader('content-type', 'text/event-stream').end('data: {"choices": [}\n\n');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => garbage.once('listening', resolve));
    const { port } = garbage.address() as AddressInfo;
    try {
      const config = { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'k', model: 'm' };
      await assert.rejects(ask({ config }), isError(true, /not JSON/));
    } finally {
      garbage.close();
    }
  });

  for (const [status, retryable] of [
    [200, false],
    [500, true],
  ] as const) {
    it(`breaks off an endless line of a ${status}, without keeping it`, async () => {
      const piece = Buffer.alloc(64 * 1_024, 'x');
      let sent = 0;
      let closed = false;
      const endless = createServer((_, response) => {
        response.writeHead(status, { 'content-type': 'text/event-stream' }).write('data: {"choices":"');
        response.on('close', () => (closed = true));
        const more = () => {
          while (!closed && response.write(piece)) sent += piece.length;
        };
        response.on('drain', more);
        more();
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => endless.once('listening', resolve));
      const { port } = endless.address() as AddressInfo;
      try {
        const config = { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'k', model: 'm' };
        await assert.rejects(ask({ config }), isError(retryable, /too long|answered 500/));
        await eventually(() => {
          assert.equal(closed, true);
        });
        // The cap of 500 tokens, and what was on its way.
        assert.ok(sent < 30e6, `${sent} bytes were taken`);
      } finally {
        endless.close();
      }
    });
  }

  it('aborts the request in the middle of the answer', async () => {
    const server = await model(() => says('word '.repeat(30)));
    const abort = new AbortController();
    await assert.rejects(
      ask(server, {
        text: 'long',
        signal: abort.signal,
        onText: () => {
          abort.abort(new Error('enough'));
        },
      }),
      /enough/,
    );
    await eventually(() => {
      assert.equal(server.aborted(), 1);
    });
  });
});
