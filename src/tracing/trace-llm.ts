import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { LlmError, type Llm } from '../llm/llm.js';

/**
 * A model whose requests are spans, named and described as OpenTelemetry's conventions for generative AI say. The request
 * itself carries no `traceparent`: the model's server is somebody else's, and is told nothing of us.
 */
export const traceLlm = (llm: Llm, model: string): Llm => ({
  generate: (request, options) =>
    trace.getTracer('llm').startActiveSpan(
      `chat ${model}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': model,
          'gen_ai.request.max_tokens': options.maxOutputTokens,
        },
      },
      async (span) => {
        let isFirst = true;
        const onText = (text: string): void => {
          if (isFirst) span.addEvent('first text');
          isFirst = false;
          options.onText(text);
        };
        try {
          const answer = await llm.generate(request, { ...options, onText });
          const { prompt_tokens, completion_tokens } = answer.usage;
          span.setAttributes({
            'gen_ai.usage.input_tokens': prompt_tokens,
            'gen_ai.usage.output_tokens': completion_tokens,
          });
          return answer;
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute('error.type', typeOf(error));
          throw error;
        } finally {
          span.end();
        }
      },
    ),
});

/** The HTTP status, or the name of the error: low in number, and no text of anybody. */
const typeOf = (error: unknown): string => {
  if (error instanceof LlmError && error.status !== undefined) return String(error.status);
  return error instanceof Error ? error.name : 'unknown';
};
