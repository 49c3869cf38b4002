import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the model fails, by the word the owner's text begins with; it tells the key wherever it can. */
const FAILURES: Record<string, (response: ServerResponse, key: string) => void> = {
  refuses: (response, key) => {
    const error = { message: `Incorrect API key provided: ${key}`, type: key, code: key, param: key };
    response.writeHead(401, { 'X-Key': key, 'WWW-Authenticate': key }).end(JSON.stringify({ error }));
  },
  fails: (response, key) => {
    response.writeHead(500, { 'Content-Type': 'text/html' }).end(`<h1>Authorization: ${key}</h1>`);
  },
  resets: (response, key) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Key': key }).write(`data: {"key": "${key}"`);
    setImmediate(() => response.destroy());
  },
  babbles: (response, key) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`data: {"choices": ${key}}\n\n`);
  },
  breaks: (response, key) => {
    const error = { message: key, type: key, code: key };
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`data: ${JSON.stringify({ error })}\n\n`);
  },
};

/** The words that make it fail. */
export const WAYS_TO_FAIL = Object.keys(FAILURES);

/** A model over HTTP that answers well, or tells the key it was called with while it fails. */
export async function startLeakyModel(): Promise<{ baseUrl: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { messages } = JSON.parse(body) as { messages: { content: string }[] };
      const word = messages.at(-1)?.content.split(' ', 1)[0] ?? '';
      const fail = FAILURES[word];
      if (fail) fail(response, String(request.headers.authorization));
      else answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse): void {
  const chunk = { model: 'leaky', choices: [{ index: 0, delta: { content: 'You are kind.' }, finish_reason: 'stop' }] };
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
}
