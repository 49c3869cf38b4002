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

export const OWNER = 'bench';
/** A text for which the model lets the caller wait until it is let go. */
const HELD = 'held';
const TEXT = 'We sell shoes.';
/** Starts at a time. */
const STARTING = 16;

/** The service that is measured, and its Temporal and model. */
export class Subject {
  readonly api: ApiClient;

  private constructor(
    readonly temporal: TemporalServer,
    readonly llm: TestLlm,
    readonly service: Service,
    readonly bearer: { Authorization: string },
    /** Lets the model answer all that wait. */
    readonly letGo: () => void,
  ) {
    this.api = new ApiClient(() => service.url);
  }

  static async start(): Promise<Subject> {
    const held = { go: (): void => undefined };
    const gone = new Promise<void>((resolve) => (held.go = resolve));
    const llm = await startTestLlm(async (_n, { messages }) => {
      if (messages.some(({ content }) => content === HELD)) await gone;
      return says('You are the assistant of a shoe store.');
    });
    const temporal = await startTemporalServer({
      cliPath: await findTemporalCli((line) => process.stderr.write(`${line}\n`)),
      port: await freePort(),
      uiPort: null,
      log: pino({ level: 'warn' }),
    });
    const service = await startService(llm.config.baseUrl, { TEMPORAL_ADDRESS: temporal.address });
    const subject = new Subject(temporal, llm, service, { Authorization: `Bearer ${await tokenFor(OWNER)}` }, held.go);
    await subject.api.open(OWNER, { tokens: 1_000_000_000 });
    // The first runs compile the code and fill the caches.
    for (let n = 0; n < 30; n += 1) await subject.untilEnded(await subject.startOne());
    return subject;
  }

  async stop(): Promise<void> {
    this.letGo();
    await this.service.stop();
    await this.temporal.stop();
    await this.llm.stop();
  }

  /** The answer to a request, and how long it took, in ms. */
  async call(path: string, init: RequestInit = {}): Promise<{ ms: number; body: Record<string, unknown> }> {
    const began = performance.now();
    const response = await fetch(`${this.service.url}${path}`, init);
    const body = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
    return { ms: performance.now() - began, body };
  }

  post(path = GENERATE_ASYNC_PATH, text = TEXT) {
    const headers = { ...this.bearer, 'Content-Type': 'application/json' };
    return this.call(path, { method: 'POST', headers, body: JSON.stringify({ manual_prompt: text }) });
  }

  /** Its status URL. */
  startOne = async (text = TEXT): Promise<string> =>
    String((await this.post(GENERATE_ASYNC_PATH, text)).body.status_url);

  poll = (statusUrl: string) => this.call(statusUrl, { headers: this.bearer });

  async untilEnded(statusUrl: string, everyMs = 20): Promise<void> {
    while ((await this.poll(statusUrl)).body.progress !== 100) await rest(everyMs);
  }

  /** Starts so many that wait in their call of the model, and returns their status URLs once all of them do. */
  async hold(count: number): Promise<string[]> {
    const urls: string[] = [];
    let left = count;
    await Promise.all(
      Array.from({ length: STARTING }, async () => {
        while (left-- > 0) urls.push(await this.#startPatiently());
      }),
    );
    for (const url of urls) while ((await this.poll(url)).body.progress !== 50) await rest(50);
    return urls;
  }

  /** Whoever starts thousands at once is refused now and then. */
  async #startPatiently(): Promise<string> {
    for (;;) {
      const response = await this.api.call('POST', GENERATE_ASYNC_PATH, { as: OWNER, body: { manual_prompt: HELD } });
      const body = (await response.json()) as { status_url: string };
      if (response.status === 202) return body.status_url;
      if (response.status !== 503) throw new Error(`A start was answered ${response.status}: ${JSON.stringify(body)}`);
      await rest(1_000);
    }
  }
}
