import { LlmError } from './llm.js';

/**
 * A `fetch` whose answers break off, by an `LlmError` not worth another attempt, after `maxBytes` (once decompressed): the
 * `openai` package collects a line until it ends, and a whole error, whatever they take.
 */
export const fetchAtMost =
  (maxBytes: number): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    let bytes = 0;
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) controller.error(new LlmError('The answer is too long to be a prompt', false));
        else controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(counting), response);
  };
