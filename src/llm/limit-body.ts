import { LlmError } from './llm.js';

/** Longest answers, in bytes once decompressed: altogether, and from one blank line to the next, which is one event. */
export interface BodyLimits {
  bytes: number;
  eventBytes: number;
}

/** What ends an event, as the `openai` package sees it. */
const BLANK_LINES = ['\n\n', '\r\r', '\r\n\r\n'];
const LONGEST = 4;

/**
 * A `fetch` whose answers break off where they are longer: the `openai` package collects a whole error, and an event until
 * it ends, and looks through all of that again with each piece.
 */
export const fetchAtMost =
  (limits: BodyLimits): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    return response.body === null ? response : new Response(response.body.pipeThrough(atMost(limits)), response);
  };

/** Passes a body on, and fails by an `LlmError` not worth another attempt where it is longer. */
export function atMost(limits: BodyLimits): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  let eventBytes = 0;
  let before = Buffer.alloc(0);
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      // A blank line may begin in the piece before.
      const seen = Buffer.concat([before, chunk]);
      const end = Math.max(...BLANK_LINES.map((line) => seen.lastIndexOf(line)));
      eventBytes = end === -1 ? eventBytes + chunk.byteLength : seen.byteLength - end;
      before = seen.subarray(1 - LONGEST);
      if (bytes > limits.bytes || eventBytes > limits.eventBytes)
        controller.error(new LlmError('The answer is too long to be a prompt', false));
      else controller.enqueue(chunk);
    },
  });
}
