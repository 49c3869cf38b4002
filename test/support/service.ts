import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from './api-client.js';
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
      if (text.startsWith('slow')) await service.#slow.opened;
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

  /** Lets the model answer every "slow" text so far; later ones wait again. */
  open(): void {
    this.#slow.open();
    this.#slow = gate();
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
