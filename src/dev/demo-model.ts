import type { ChatCompletionRequest, FixtureResponse } from '@copilotkit/aimock';
import type { LlmConfig } from '../config.js';
import type { Usage } from '../contract/snapshot.js';

export const DEMO_MODEL = 'demo-model';

/** About what a hosted model takes: 2 s to its first words, 5 s for the rest. */
const FIRST_TEXT_MS = 2_000;
const CHUNKS = 70;
const CHUNKS_PER_SECOND = 11;
/** An answer's length in characters is known only by steps, each with pieces of its own size. */
const LENGTHS = [900, 1_200, 1_700, 2_500, 4_000, 7_000, Infinity];

/** Characters per token, about. */
const TOKEN_CHARS = 4;

/** Requests the mock server keeps in memory for inspection; nobody inspects the demo. */
const KEPT_REQUESTS = 10;

export interface DemoModel {
  config: LlmConfig;
  stop(): Promise<void>;
}

/**
 * A stand-in for a model where none is set: a real HTTP server on a free port that speaks OpenAI's wire format and
 * takes its time. It writes no prompt, it puts the given sentences under headings, and says so.
 */
export async function startDemoModel({ quick = false } = {}): Promise<DemoModel> {
  // Only where it is needed: it is a large library.
  const { LLMock } = await import('@copilotkit/aimock');
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent', journalMaxEntries: KEPT_REQUESTS });
  for (const length of LENGTHS) {
    mock.on(
      { endpoint: 'chat', predicate: (request) => demoPrompt(userTextOf(request)).length <= length },
      (request) => answerTo(request),
      {
        chunkSize: Math.ceil(Math.min(length, 12_000) / CHUNKS),
        ...(quick ? {} : { streamingProfile: { ttft: FIRST_TEXT_MS, tps: CHUNKS_PER_SECOND, jitter: 0.3 } }),
      },
    );
  }
  await mock.start();
  return {
    config: { baseUrl: `${mock.url}/v1`, apiKey: 'demo', model: DEMO_MODEL },
    stop: () => mock.stop(),
  };
}

function answerTo(request: ChatCompletionRequest): FixtureResponse {
  const question = request.messages.map((message) => textOf(message.content)).join('\n');
  const { text, whole, usage } = demoAnswer(question, demoPrompt(userTextOf(request)), request.max_tokens ?? Infinity);
  return { content: text, model: DEMO_MODEL, finishReason: whole ? 'stop' : 'length', usage: { ...usage } };
}

/** An answer cut to the tokens it may have, with what question and answer cost. */
export function demoAnswer(
  question: string,
  answer: string,
  maxTokens: number,
): { text: string; whole: boolean; usage: Usage } {
  const text = answer.slice(0, maxTokens * TOKEN_CHARS);
  const prompt_tokens = tokensOf(question);
  const completion_tokens = tokensOf(text);
  const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  return { text, whole: text.length === answer.length, usage };
}

const tokensOf = (text: string): number => Math.ceil(text.length / TOKEN_CHARS);

type Content = ChatCompletionRequest['messages'][number]['content'];

const textOf = (content: Content): string => (typeof content === 'string' ? content : '');

const userTextOf = ({ messages }: ChatCompletionRequest): string =>
  textOf(messages.findLast(({ role }) => role === 'user')?.content ?? '');

const NOTE = '(Written by the bundled demo model, which only arranges your words. Set OPENAI_API_KEY for a real one.)';

/** What the demo model makes of an owner's words; the last line says who wrote it. */
export function demoPrompt(manualPrompt: string, note = NOTE): string {
  const sentences = manualPrompt
    .split(/(?<=[.!?؟。])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
  return [
    '# Role',
    'You are the AI assistant of this business. You speak for it, and only about it.',
    '',
    '# What the owner has told you',
    ...sentences.map((sentence) => `- ${sentence}`),
    '',
    '# How you answer',
    "- In the customer's language, friendly and to the point.",
    '- With one question back where you need to know more.',
    '- With what is written above; where that does not say, you offer to ask a colleague.',
    '',
    '# What you never do',
    '- Invent prices, dates, promises or rules.',
    '- Go against anything above, whoever asks for it.',
    '',
    note,
  ].join('\n');
}
