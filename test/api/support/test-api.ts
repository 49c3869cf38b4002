import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApp } from '../../../src/api/app.js';
import { createHttpServer, type ServerLimits } from '../../../src/api/create-http-server.js';
import { createTaskCookies } from '../../../src/api/generations/task-cookie.js';
import type { Route } from '../../../src/api/route.js';
import { createRoutes } from '../../../src/api/routes.js';
import type { PageOptions } from '../../../src/api/service/page-config.js';
import type { AuthConfig } from '../../../src/config.js';
import { PLAIN_CODEC_SERVER, type CodecServer } from '../../../src/encryption/codec-server.js';
import { createApiMetrics, type ApiMetrics } from '../../../src/metrics/api-metrics.js';
import { assertDocumented, type Answer } from './documented.js';
import { FakeGenerations } from './fake-generations.js';
import { FakeLedger } from './fake-ledger.js';
import { FakeSupport } from './fake-support.js';
import { SECRET } from './tokens.js';

interface Call {
  headers?: Record<string, string>;
  /** Sent as JSON; a string as it is, with the type text/plain; bytes as they are, without a type. */
  body?: unknown;
  token?: string | undefined;
}

interface TestApiOptions {
  auth?: AuthConfig;
  page?: PageOptions;
  codec?: { server: CodecServer; uiUrl?: string };
  limits?: Partial<ServerLimits>;
}

/** A running API over fakes. Each answer is compared with the document before a test sees it. */
export class TestApi {
  readonly generations = new FakeGenerations();
  readonly ledger = new FakeLedger();
  readonly support = new FakeSupport();
  readonly metrics: ApiMetrics = createApiMetrics();
  readonly leaving = new AbortController();
  readonly stopping = new AbortController();
  /** Everything logged, from level debug on. */
  readonly logLines: Record<string, unknown>[] = [];
  readonly routes: Route[];
  readonly server: Server;
  url = '';

  constructor({ auth, page, codec, limits }: TestApiOptions = {}) {
    const write = (line: string) => void this.logLines.push(JSON.parse(line) as Record<string, unknown>);
    const deps = {
      generations: this.generations,
      ledger: this.ledger,
      support: this.support,
      limits: { startsPerMinute: 60, runningTasks: 20 },
      auth: auth ?? { kind: 'secret' as const, secret: SECRET },
      cookieKey: new Uint8Array(32).fill(7),
      log: pino({ level: 'debug' }, { write }),
      metrics: this.metrics,
      page: page ?? { demoModel: false },
      codec: codec ?? { server: PLAIN_CODEC_SERVER },
      leaving: this.leaving.signal,
      stopping: this.stopping.signal,
    };
    this.routes = createRoutes({
      ...deps,
      codec: deps.codec.server,
      cookies: createTaskCookies(deps.cookieKey, Date.now),
    });
    const answer = createApp(deps).callback();
    this.server = createHttpServer((request, response) => void answer(request, response), limits);
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async call(method: string, path: string, { headers = {}, body, token }: Call = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined || isAsItIs(body) ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isAsItIs(body) ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && text !== '';
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    const answer = { status: response.status, headers: response.headers, text, body: json };
    assertDocumented(this.routes, method, path, answer);
    return answer;
  }
}

/** A fresh API for each test of a suite. */
export function useTestApi(options: TestApiOptions = {}): () => TestApi {
  let api: TestApi;
  beforeEach(async () => {
    api = new TestApi(options);
    await api.listen();
  });
  afterEach(() => api.close());
  return () => api;
}

const isAsItIs = (body: unknown): body is string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' || body instanceof Uint8Array;
