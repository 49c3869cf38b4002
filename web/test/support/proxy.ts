import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * How streams of events fare: they pass; are held back until their end; come no further than their first status; or are
 * asked of a service that knows none.
 */
export type Treatment = 'pass' | 'hold back' | 'freeze' | 'unknown';

/** What stands between a page and the service. Everything but streams of events passes. */
export class Proxy {
  treatment: Treatment = 'pass';
  /** Set: answers streams in place of the service. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** The Last-Event-ID of each stream so far. */
  readonly streams: string[] = [];
  readonly #open = new Set<ServerResponse>();

  private constructor(
    readonly server: Server,
    readonly target: URL,
    readonly prefix: string,
  ) {}

  /** `prefix`, such as `/prompts`: it passes on what is below, without that, and nothing else. */
  static async to(target: string, prefix = ''): Promise<Proxy> {
    const server = createServer();
    const proxy = new Proxy(server, new URL(target), prefix);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      proxy.#pass(request, response);
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Streams that are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Cuts the streams that are open. */
  cut(): void {
    for (const response of this.#open) response.destroy();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = request;
    if (!url.startsWith(`${this.prefix}/`)) {
      response.writeHead(404).end();
      return;
    }
    const isStream = headers.accept?.startsWith('text/event-stream') ?? false;
    if (isStream) {
      this.streams.push(headers['last-event-id']?.toString() ?? '');
      this.#open.add(response);
      response.on('close', () => this.#open.delete(response));
      if (this.answer) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        this.answer(response);
        return;
      }
    }
    const treatment = isStream ? this.treatment : 'pass';
    if (treatment === 'unknown') headers.accept = 'application/json';
    const { hostname, port } = this.target;
    const onward = httpRequest({ hostname, port, method, path: url.slice(this.prefix.length), headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      if (treatment === 'hold back') {
        void text(answer).then(
          (all) => response.end(all),
          () => response.destroy(),
        );
      } else if (treatment === 'freeze') {
        let frozen = false;
        answer.setEncoding('utf8').on('data', (piece: string) => {
          if (!frozen) response.write(piece);
          frozen ||= piece.includes('event: status');
        });
      } else {
        answer.pipe(response);
      }
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}
