import assert from 'node:assert/strict';
import { atMost, type BodyLimits } from '../../src/llm/limit-body.js';
import { LlmError } from '../../src/llm/llm.js';

const LIMITS = { bytes: 10_000, eventBytes: 40 };

/** What gets through of a text that arrives in pieces of this length, and why no more does. */
async function passed(text: string, pieceLength: number, limits: BodyLimits = LIMITS) {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceLength) }, (_, n) =>
    bytes.subarray(n * pieceLength, (n + 1) * pieceLength),
  );
  const got: Uint8Array[] = [];
  let error: unknown;
  try {
    for await (const piece of ReadableStream.from(pieces).pipeThrough(atMost(limits))) got.push(piece);
  } catch (cause) {
    error = cause;
  }
  return { text: Buffer.concat(got).toString(), error };
}

const isTooLong = (error: unknown): void => {
  assert.ok(error instanceof LlmError, String(error));
  assert.deepEqual([error.message, error.retryable], ['The answer is too long to be a prompt', false]);
};

describe('A body of the model', () => {
  for (const end of ['\n\n', '\r\r', '\r\n\r\n']) {
    it(`may have any number of events that end in ${JSON.stringify(end)}, wherever its pieces are cut`, async () => {
      const text = `data: {"content":"größer"}${end}`.repeat(20);
      for (let length = 1; length <= 10; length += 1)
        assert.deepEqual(await passed(text, length), { text, error: undefined });
    });
  }

  it('breaks off in an event that is too long, of one line or of many', async () => {
    for (const line of ['x', 'x\n', 'x\r\n']) {
      for (const length of [1, 7, 16]) {
        const { text, error } = await passed(`data: short\n\n${line.repeat(100)}`, length);
        isTooLong(error);
        assert.ok(text.length > 20 && text.length <= 13 + LIMITS.eventBytes, `${text.length} bytes of ${length} each`);
      }
    }
  });

  it('breaks off where its events are too many', async () => {
    const { text, error } = await passed('data: short\n\n'.repeat(1_000), 13);
    isTooLong(error);
    assert.equal(text.length, 13 * Math.floor(LIMITS.bytes / 13));
  });
});
