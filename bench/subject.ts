import { Agent, request } from 'node:http';
import { setTimeout as rest } from 'node:timers/promises';
import { pino } from 'pino';
import { GENERATE_ASYNC_PATH } from '../src/contract/names.js';
import { findTemporalCli } from '../src/dev/temporal-cli.js';
import { startTemporalServer, type TemporalServer } from '../src/dev/temporal-server.js';
import { freePort } from '../src/free-port.js';
import { ApiClient } from '../test/support/api-client.js';
import { says, startTestLlm, type TestLlm } from '../test/support/llm-server.js';
import { tokenFor } from '../test/support/program.js';
import { startService, type Service } from './service.js';
import { untilAccepted, type Answer } from './until-accepted.js';

/** A text for which the model lets the caller wait until it is let go. */
export const HELD = 'held';
/** One whose answer takes as long as an ordinary one. */
export const SLOW = 'slow';
const SLOW_MS = 7_000;
const TEXT = 'We sell shoes.';
/** Starts at a time, each by another owner in turn. */
const STARTING = 16;
const OWNERS = 20;
/** Connections to the API, as a page's proxy has: `fetch` would take one for each request under way, and more processor time. */
const CONNECTIONS = 256;

export interface Answered extends Answer {
  ms: number;
}

/** One generation that was started. */
export interface StartedTask {
  url: string;
  bearer: Bearer;
}
export type Bearer = Record<'Authorization', string>;

/** The service that is measured, and its Temporal and model. */
export class Subject {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  private constructor(
    readonly temporal: TemporalServer,
    readonly temporalMetricsUrl: string,
    readonly llm: TestLlm,
    readonly service: Service,
    readonly bearers: Bearer[],
    /** Lets the model answer one that waits. */
    readonly letOneGo: () => void,
    /** Lets the model answer all that wait, and whoever comes later. */
    readonly letGo: () => void,
  ) {}

  static async start(): Promise<Subject> {
    const held: (() => void)[] = [];
    let isOpen = false;
    const letGo = (): void => {
      isOpen = true;
      for (const go of held.splice(0)) go();
    };
    const llm = await startTestLlm(async (_n, { messages }) => {
      const text = messages.at(-1)?.content;
      if (text === HELD && !isOpen) await new Promise<void>((resolve) => held.push(resolve));
      if (text === SLOW) await rest(SLOW_MS);
      return says('You are the assistant of a shoe store.');
    });
    const metricsPort = await freePort();
    const temporal = await startTemporalServer({
      cliPath: await findTemporalCli((line) => process.stderr.write(`${line}\n`)),
      port: await freePort(),
      uiPort: null,
      metricsPort,
      log: pino({ level: 'warn' }),
    });
    const service = await startService(llm.config.baseUrl, { TEMPORAL_ADDRESS: temporal.address });
    const api = new ApiClient(() => service.url);
    const owners = Array.from({ length: OWNERS }, (_, n) => `bench-${n}`);
    for (const owner of owners) await api.open(owner, { tokens: 1_000_000_000 });
    const bearers = await Promise.all(
      owners.map(async (owner) => ({ Authorization: `Bearer ${await tokenFor(owner)}` })),
    );
    const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
    const letOneGo = (): void => held.shift()?.();
    const subject = new Subject(temporal, metricsUrl, llm, service, bearers, letOneGo, letGo);
    // The first runs compile the code and fill the caches.
    for (let n = 0; n < 60; n += 1) await subject.untilEnded(await subject.startOne(n));
    return subject;
  }

  async stop(): Promise<void> {
    this.letGo();
    this.#agent.destroy();
    await this.service.stop();
    await this.temporal.stop();
    await this.llm.stop();
  }

  /** The answer to a request, whatever it is, and how long it took, in ms. */
  send(method: string, path: string, bearer: Bearer, body?: object): Promise<Answered> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const headers = { ...bearer, ...(body ? { 'Content-Type': 'application/json' } : {}) };
      const sent = request(`${this.service.url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            ms: performance.now() - began,
            body: JSON.parse(text) as Record<string, unknown>,
          });
        });
      });
      sent.on('error', reject);
      sent.end(body && JSON.stringify(body));
    });
  }

  async #call(method: string, path: string, bearer: Bearer, body?: object): Promise<Answered> {
    const answered = await this.send(method, path, bearer, body);
    if (answered.status >= 300)
      throw new Error(`${method} ${path} answered ${answered.status}: ${JSON.stringify(answered.body)}`);
    return answered;
  }

  bearerOf = (n: number): Bearer => this.bearers[n % this.bearers.length] ?? { Authorization: '' };

  /** By the n-th owner. */
  post = (n: number, path = GENERATE_ASYNC_PATH, text = TEXT): Promise<Answered> =>
    this.#call('POST', path, this.bearerOf(n), { manual_prompt: text });

  async startOne(n: number, text = TEXT): Promise<StartedTask> {
    return { url: String((await this.post(n, GENERATE_ASYNC_PATH, text)).body.status_url), bearer: this.bearerOf(n) };
  }

  /** Whoever starts thousands at once is refused now and then, and comes again. */
  async startPatiently(n: number, text = TEXT): Promise<StartedTask> {
    const bearer = this.bearerOf(n);
    const send = () => this.send('POST', GENERATE_ASYNC_PATH, bearer, { manual_prompt: text });
    return { url: String((await untilAccepted(send)).body.status_url), bearer };
  }

  poll = ({ url, bearer }: StartedTask): Promise<Answered> => this.#call('GET', url, bearer);

  async untilEnded(task: StartedTask, everyMs = 20): Promise<Answered> {
    for (;;) {
      const answered = await this.poll(task);
      if (answered.body.progress === 100) return answered;
      await rest(everyMs);
    }
  }

  /**
   * Starts so many that wait in their call of the model, or as many as can be started in that time, and returns them once
   * all of them do.
   */
  async hold(count: number, withinMs = Infinity): Promise<StartedTask[]> {
    const tasks: StartedTask[] = [];
    const until = performance.now() + withinMs;
    let next = 0;
    await Promise.all(
      Array.from({ length: STARTING }, async () => {
        while (next < count && performance.now() < until) tasks.push(await this.startPatiently(next++, HELD));
      }),
    );
    for (const task of tasks) {
      for (;;) {
        const { body } = await this.poll(task);
        if (body.progress === 50) break;
        if (body.progress === 100)
          throw new Error(`A task that waits for the model has ended: ${JSON.stringify(body)}`);
        await rest(50);
      }
    }
    return tasks;
  }
}
