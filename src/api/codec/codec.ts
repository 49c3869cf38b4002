import type { Payload } from '@temporalio/common';
import type { z } from 'zod';
import type { CodecServer } from '../../encryption/codec-server.js';
import type { Ledger } from '../../ledger/types.js';
import { ApiError } from '../api-error.js';
import { askLedger } from '../ask-ledger.js';
import { byOf, callerOf, type RouteContext } from '../context.js';
import { storable } from '../owner.js';
import type { Parameter, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';
import { EXAMPLE_DECODED, EXAMPLE_ENCODED, fromWire, Payloads, toWire } from './payloads.js';

export const CODEC_PATH = '/codec/';

/** What Temporal's Web UI and CLI are given as their codec endpoint; they add the verb. */
export const codecEndpoint = (apiUrl: string): string => apiUrl + CODEC_PATH.slice(0, -1);

/** A page of a history has many payloads, each up to Temporal's limit of 2 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Temporal's tools name it by themselves. */
const NAMESPACE = {
  in: 'header',
  name: 'X-Namespace',
  description: 'The namespace of Temporal that they are from, for the record.',
  schema: storable().max(255).optional(),
  example: 'default',
} satisfies Parameter;

/** POST decode and encode: what Temporal's tools show in clear to support staff, and what they send encrypted. */
export const codec = ({ codec: server, ledger }: { codec: CodecServer; ledger: Ledger }): Route[] => [
  {
    method: 'post',
    path: `${CODEC_PATH}decode`,
    access: 'support',
    operation: {
      id: 'decodePayloads',
      tag: 'Codec',
      summary: 'Decrypt payloads of Temporal',
      parameters: [NAMESPACE],
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
    async handle(ctx) {
      const { body, given, did } = await convert(ctx, 'decode', server.decode);
      const details = { ...did, owners: await orUnavailable(server.ownersOf(given)) };
      // Before anybody reads it: nothing is shown that no line tells of.
      await askLedger(ledger.recordAction({ by: byOf(ctx), action: 'decode_payloads', target: 'temporal', details }));
      ctx.body = body;
    },
  },
  {
    method: 'post',
    path: `${CODEC_PATH}encode`,
    access: 'support',
    operation: {
      id: 'encodePayloads',
      tag: 'Codec',
      summary: 'Encrypt payloads for Temporal',
      parameters: [NAMESPACE],
      body: { schema: Payloads, example: EXAMPLE_DECODED, maxBytes: MAX_BYTES },
      answers: {
        200: { description: 'In the same order.', schema: Payloads, examples: { encoded: EXAMPLE_ENCODED } },
      },
      errors: ['invalid_request'],
    },
    async handle(ctx) {
      ctx.body = (await convert(ctx, 'encode', server.encode)).body;
    },
  },
];

interface Converted {
  body: z.infer<typeof Payloads>;
  given: Payload[];
  /** What it was, for the record. */
  did: { payloads: number; namespace: string | null };
}

async function convert(ctx: RouteContext, verb: 'decode' | 'encode', how: CodecServer['decode']): Promise<Converted> {
  const namespace = readParameter(ctx, NAMESPACE) ?? null;
  const { payloads } = validate(Payloads, ctx.request.body);
  const given = payloads.map(fromWire);
  const converted = await orUnavailable(how(given));
  const did = { payloads: payloads.length, namespace };
  ctx.state.log.info({ by: callerOf(ctx).owner, verb, ...did }, 'payloads were converted for support');
  return { body: { payloads: converted.map(toWire) }, given, did };
}

/** A key can't be had now. */
const orUnavailable = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((cause: unknown) => {
    throw new ApiError('unavailable', { cause });
  });
