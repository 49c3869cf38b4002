import { gate, type Gate } from '../support/gate.js';
import { refusesWith, says, startTestLlm, userText, type TestLlm } from '../support/llm-server.js';

export const PROMPT = 'You are the assistant of a shoe store.';

/**
 * A model that does what the owner's text begins with: "slow" waits while it is not `open()`, "flaky" is away twice, "refused" always
 * fails, "long" answers slowly; anything else is answered at once.
 */
export class ScriptedModel {
  readonly #attempts = new Map<string, number>();
  #slow: Gate = gate();

  private constructor(readonly llm: TestLlm) {}

  static async start(): Promise<ScriptedModel> {
    const llm = await startTestLlm(async (_, request) => {
      const text = userText(request);
      const attempt = model.callsFor(text) + 1;
      model.#attempts.set(text, attempt);
      if (text.startsWith('slow')) await model.#slow.opened;
      if (text.startsWith('flaky') && attempt <= 2) return refusesWith(503);
      if (text.startsWith('refused')) return refusesWith(401);
      return says(text.startsWith('long') ? 'word '.repeat(30) : PROMPT);
    });
    const model: ScriptedModel = new ScriptedModel(llm);
    return model;
  }

  /** As the service's settings name it. */
  get settings(): Record<string, string> {
    const { baseUrl, apiKey, model } = this.llm.config;
    return { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model };
  }

  /** Lets it answer "slow" texts, until `close`. */
  open(): void {
    this.#slow.open();
  }

  close(): void {
    this.#slow = gate();
  }

  /** How often it was asked with this text of an owner. */
  callsFor(text: string): number {
    return this.#attempts.get(text) ?? 0;
  }

  async stop(): Promise<void> {
    this.open();
    await this.llm.stop();
  }
}
