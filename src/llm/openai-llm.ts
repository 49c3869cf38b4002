import OpenAI from 'openai';
import type { Usage } from '../contract/snapshot.js';
import { estimateInputTokens, estimateTokens, type PromptRequest } from './compose-request.js';
import { fetchAtMost } from './limit-body.js';
import { LlmError, type Answer, type GenerateOptions, type Llm } from './llm.js';
import { toLlmError } from './to-llm-error.js';

/** Balanced between invention and repetition for instructions; what the product has always used. */
const TEMPERATURE = 0.7;

/** A prompt longer than this can't be one (the model is asked for far less): the stream is broken off. */
const MAX_ANSWER_CHARS = 200_000;
/** What an answer may take on the wire: for each of its tokens an event, of some 300 bytes, and something for an error. */
const EVENT_MAX_BYTES = 1_024;
/** And what each token may take in an event that has all of them, with every letter escaped. */
const TOKEN_MAX_BYTES = 64;
const REST_MAX_BYTES = 64 * 1_024;

/** An OpenAI-compatible server, called with streaming. Retries are the caller's (Temporal's) business, not the SDK's. */
export function createOpenAiLlm(settings: { baseUrl: string; apiKey: string; model: string }): Llm {
  const client = new OpenAI({
    baseURL: settings.baseUrl,
    apiKey: settings.apiKey,
    maxRetries: 0,
    logLevel: 'off',
    // A redirect would take the owner's text to a place that no operator chose; it is an error of the model instead.
    fetchOptions: { redirect: 'manual' },
  });

  return {
    async generate(request: PromptRequest, { maxOutputTokens, signal, onText }: GenerateOptions): Promise<Answer> {
      const answer: Partial<Answer> & { text: string } = { text: '' };
      try {
        const limits = {
          bytes: maxOutputTokens * EVENT_MAX_BYTES + REST_MAX_BYTES,
          eventBytes: maxOutputTokens * TOKEN_MAX_BYTES + REST_MAX_BYTES,
        };
        const stream = await client.withOptions({ fetch: fetchAtMost(limits) }).chat.completions.create(
          {
            model: settings.model,
            temperature: TEMPERATURE,
            // eslint-disable-next-line @typescript-eslint/no-deprecated -- every compatible server knows this name, few the new one
            max_tokens: maxOutputTokens,
            stream: true,
            stream_options: { include_usage: true },
            messages: [
              { role: 'system', content: request.system },
              { role: 'user', content: request.user },
            ],
          },
          { signal },
        );
        for await (const chunk of stream) {
          const choice = chunk.choices[0];
          const text = choice?.delta.content ?? '';
          if (text !== '') onText(text);
          answer.text += text;
          answer.model = chunk.model;
          if (choice?.finish_reason) answer.finishReason = choice.finish_reason;
          const usage = chunk.usage ? usageOf(chunk.usage) : undefined;
          if (usage) answer.usage = usage;
          if (answer.text.length > MAX_ANSWER_CHARS) throw new LlmError('The answer is too long to be a prompt', false);
        }
      } catch (error) {
        signal.throwIfAborted();
        throw toLlmError(error);
      }
      // The SDK ends its loop quietly when it is aborted.
      signal.throwIfAborted();
      if (answer.finishReason === undefined) throw new LlmError('The answer broke off', true);
      return {
        text: answer.text,
        model: answer.model ?? settings.model,
        usage: answer.usage ?? estimateUsage(request, answer.text),
        finishReason: answer.finishReason,
      };
    },
  };
}

/** What the server counted, where those are counts: compatible ones may leave some out. */
function usageOf({ prompt_tokens, completion_tokens, total_tokens }: Usage): Usage | undefined {
  const counts = [prompt_tokens, completion_tokens, total_tokens];
  const valid = counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  return valid ? { prompt_tokens, completion_tokens, total_tokens } : undefined;
}

/** For servers that do not count: the same estimate the tokens were held by. */
function estimateUsage(request: PromptRequest, text: string): Usage {
  const prompt_tokens = estimateInputTokens(request);
  const completion_tokens = estimateTokens(text);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
