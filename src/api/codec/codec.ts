import type { CodecServer } from '../../encryption/codec-server.js';
import { ApiError } from '../api-error.js';
import { callerOf, type RouteContext } from '../context.js';
import type { Route } from '../route.js';
import { validate } from '../validate.js';
import { EXAMPLE_DECODED, EXAMPLE_ENCODED, fromWire, Payloads, toWire } from './payloads.js';

export const CODEC_PATH = '/codec/';

/** What Temporal's Web UI and CLI are given as their codec endpoint; they add the verb. */
export const codecEndpoint = (apiUrl: string): string => apiUrl + CODEC_PATH.slice(0, -1);

/** A page of a history has many payloads, each up to Temporal's limit of 2 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** POST decode and encode: what Temporal's tools show in clear to support staff, and what they send encrypted. */
export const codec = (server: CodecServer): Route[] => [
  {
    method: 'post',
    path: `${CODEC_PATH}decode`,
    access: 'support',
    operation: {
      id: 'decodePayloads',
      tag: 'Codec',
      summary: 'Decrypt payloads of Temporal',
      body: { schema: Payloads, example: EXAMPLE_ENCODED, maxBytes: MAX_BYTES },
      answers: {
        200: {
          description: 'In the same order. One that nobody can read any more is a text that says so.',
          schema: Payloads,
          examples: { decoded: EXAMPLE_DECODED },
        },
      },
      errors: ['invalid_request'],
    },
    handle: (ctx) => convert(ctx, 'decode', server.decode),
  },
  {
    method: 'post',
    path: `${CODEC_PATH}encode`,
    access: 'support',
    operation: {
      id: 'encodePayloads',
      tag: 'Codec',
      summary: 'Encrypt payloads for Temporal',
      body: { schema: Payloads, example: EXAMPLE_DECODED, maxBytes: MAX_BYTES },
      answers: {
        200: { description: 'In the same order.', schema: Payloads, examples: { encoded: EXAMPLE_ENCODED } },
      },
      errors: ['invalid_request'],
    },
    handle: (ctx) => convert(ctx, 'encode', server.encode),
  },
];

async function convert(ctx: RouteContext, verb: 'decode' | 'encode', how: CodecServer['decode']): Promise<void> {
  const { payloads } = validate(Payloads, ctx.request.body);
  const converted = await how(payloads.map(fromWire)).catch((cause: unknown) => {
    throw new ApiError('unavailable', { cause });
  });
  record(ctx, verb, payloads.length);
  ctx.body = { payloads: converted.map(toWire) };
}

/** Who read, or wrote, what users wrote: whatever records the deeds of support staff records it here. */
function record(ctx: RouteContext, verb: 'decode' | 'encode', payloads: number): void {
  const by = callerOf(ctx).owner;
  ctx.state.log.info({ by, verb, payloads, namespace: ctx.get('X-Namespace') }, 'payloads were converted for support');
}
