import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { LLMock, type ChatCompletionRequest, type Fixture, type FixtureResponse } from '@copilotkit/aimock';
import type { LlmConfig } from '../../src/config.js';

export interface TestLlm {
  /** For `createOpenAiLlm`, or as OPENAI_* settings. */
  config: LlmConfig;
  /** Every chat request so far, oldest first. */
  requests(): ChatCompletionRequest[];
  /** How many requests the client broke off. */
  aborted(): number;
  stop(): Promise<void>;
}

/** An answer of `text`, costing the given tokens. */
export const says = (text: string, prompt_tokens = 90, completion_tokens = 60): FixtureResponse => ({
  content: text,
  model: 'test-model-2026',
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
});

/** An HTTP error in OpenAI's form. */
export const refusesWith = (
  status: number,
  retryAfter?: number,
  message = 'The key sk-secret is wrong for you at http://internal.host',
): FixtureResponse => ({
  error: {
    message,
    type: 'server_error',
    code: 'some_code',
  },
  status,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

/** Slow enough that a test can act in the middle of the answer. */
const DRIPPING: Partial<Fixture> = { chunkSize: 2, streamingProfile: { ttft: 20, tps: 5 } };

/**
 * A model as a real HTTP server that speaks OpenAI's streaming wire format. `answer` is called for each request with
 * its number (from 0) and body; `options` shape the stream, and requests with a text that begins with "long" are answered
 * slowly enough to act in the middle.
 */
export async function startTestLlm(
  answer: (n: number, request: ChatCompletionRequest) => FixtureResponse | Promise<FixtureResponse> = () =>
    says('You are the assistant of a shoe store.'),
  options: Partial<Fixture> = {},
): Promise<TestLlm> {
  const requests: ChatCompletionRequest[] = [];
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
  const respond = (request: ChatCompletionRequest) => {
    requests.push(request);
    return answer(requests.length - 1, request);
  };
  mock.on({ endpoint: 'chat', predicate: (request) => userText(request).startsWith('long') }, respond, DRIPPING);
  mock.on({ endpoint: 'chat' }, respond, options);
  await mock.start();
  const watch = { aborted: 0 };
  const front = await startFront(mock.port, watch);
  return {
    config: { baseUrl: `http://127.0.0.1:${portOf(front)}/v1`, apiKey: 'sk-test-secret', model: 'test-model' },
    requests: () => [...requests],
    aborted: () => watch.aborted,
    stop: async () => {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await mock.stop();
    },
  };
}

/** The last message, which is the owner's own text. */
export function userText({ messages }: ChatCompletionRequest): string {
  const content = messages.at(-1)?.content;
  return typeof content === 'string' ? content : '';
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Passes everything on, and counts what the mock does not see: clients that hang up before the answer's end. */
async function startFront(port: number, watch: { aborted: number }): Promise<Server> {
  const front = createServer((request, response) => {
    const { method, url, headers } = request;
    let fromMock: IncomingMessage | undefined;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      fromMock = answer;
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => {
      if (fromMock?.complete) return;
      if (!fromMock?.destroyed) watch.aborted += 1;
      onward.destroy();
    });
    request.pipe(onward);
  });
  front.listen(0, '127.0.0.1');
  await new Promise((resolve) => front.once('listening', resolve));
  return front;
}
