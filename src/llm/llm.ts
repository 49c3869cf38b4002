import type { Usage } from '../contract/snapshot.js';
import type { PromptRequest } from './compose-request.js';

export interface GenerateOptions {
  /** The answer has no more tokens than this. */
  maxOutputTokens: number;
  /** Aborts the request to the model. */
  signal: AbortSignal;
  /** Called with each piece of the answer, as it comes; never with an empty one. */
  onText: (text: string) => void;
}

export interface Answer {
  /** As the model wrote it; may be empty. */
  text: string;
  model: string;
  usage: Usage;
  /** As the model names it: `stop`, `length`, `content_filter`, ... */
  finishReason: string;
}

/** A model that writes prompts. Errors are `LlmError`s, but for an abort: then the signal's reason is thrown. */
export interface Llm {
  generate(request: PromptRequest, options: GenerateOptions): Promise<Answer>;
}

/** What went wrong with a call. Its message names no key, no host and none of the user's text. */
export class LlmError extends Error {
  override name = 'LlmError';
  constructor(
    message: string,
    /** Whether the same call may work later. */
    readonly retryable: boolean,
    /** When the model said it may: milliseconds from now. */
    readonly retryAfterMs?: number,
    /** Of its HTTP answer, where there was one. */
    readonly status?: number,
  ) {
    super(message);
  }
}
