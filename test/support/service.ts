import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from './api-client.js';
import { eventually } from './eventually.js';
import { gate, type Gate } from './gate.js';
import { refusesWith, says, startTestLlm, userText, type TestLlm } from './llm-server.js';
import { ownPlace } from './place.js';
import { runProgram, SECRET, untilReady, type Program } from './program.js';

export const GENERATED = 'You are the assistant of a shoe store.\n\n- Be friendly.\n- No refunds after 14 days.';

/**
 * `npm start` in a folder of its own, with a model that does what the owner's text begins with: "slow" waits until `open()`,
 * "refused" fails always, "broken" unless `aiIsBack`, "flaky" once; anything else is answered at once. What ends with "!" is quoted in answers and errors.
 */
export class TestService {
  program!: Program;
  readonly api = new ApiClient(() => this.url);
  #slow: Gate = gate();
  /** "slow" texts that the model was asked about since the last `open`, and those that need not wait. */
  #asked = 0;
  #mayPass = 0;
  /** Whether the model answers "broken" texts. */
  aiIsBack = false;

  private constructor(
    readonly folder: string,
    readonly llm: TestLlm,
    readonly settings: Record<string, string> & { PORT: string },
  ) {}

  static async start(more: Record<string, string> = {}): Promise<TestService> {
    const folder = await mkdtemp(join(tmpdir(), 'test-service-'));
    const failed = new Set<string>();
    const llm = await startTestLlm(async (_, request) => {
      const text = userText(request);
      if (text.startsWith('slow')) await service.#turn();
      const quoted = text.endsWith('!');
      if (text.startsWith('broken') && !service.aiIsBack) return refusesWith(401);
      if (text.startsWith('refused')) return quoted ? refusesWith(401, undefined, text) : refusesWith(401);
      if (text.startsWith('flaky') && !failed.has(text)) {
        failed.add(text);
        return refusesWith(500);
      }
      return says(quoted ? `${GENERATED}\n\n${text}` : GENERATED);
    });
    const service: TestService = new TestService(folder, llm, {
      ...(await ownPlace(folder)),
      OPENAI_BASE_URL: llm.config.baseUrl,
      OPENAI_API_KEY: llm.config.apiKey,
      OPENAI_MODEL: llm.config.model,
      AUTH_JWT_SECRET: SECRET,
      ...more,
    });
    try {
      await service.run();
    } catch (error) {
      // Else what it left open would keep the test run from its end.
      await service.stop();
      throw error;
    }
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.settings.PORT}`;
  }

  /** Starts its process: the first time, and after a kill. */
  async run(): Promise<void> {
    this.program = runProgram('dist/dev/main.js', this.settings);
    await untilReady(this.url, this.program);
  }

  /**
   * Lets the model answer every "slow" text so far, and as many as make `least` since the last time: a task shows its step a
   * moment before the model is asked. Later ones wait again.
   */
  open(least = 1): void {
    this.#mayPass = Math.max(0, least - this.#asked);
    this.#asked = 0;
    this.#slow.open();
    this.#slow = gate();
  }

  /** Waits until the model was asked about so many "slow" texts since the last `open`. */
  untilAsked(times: number): Promise<void> {
    return eventually(() => {
      assert.equal(this.#asked, times);
    });
  }

  async #turn(): Promise<void> {
    if (this.#mayPass > 0) {
      this.#mayPass -= 1;
      return;
    }
    this.#asked += 1;
    await this.#slow.opened;
  }

  /** An owner of its own, with a subscription. */
  async owner(tokens = 10_000, account: { subscription?: object; business_type?: string } = {}): Promise<string> {
    const name = `owner-${randomUUID().slice(0, 8)}`;
    await this.api.open(name, { tokens, ...account });
    return name;
  }

  async stop(): Promise<void> {
    this.open();
    await this.program.stop();
    await this.llm.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
