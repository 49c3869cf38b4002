import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { named } from '../openapi/registry.js';

const Base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be Base64');

const WirePayload = z.object({
  metadata: z.record(z.string(), Base64).optional(),
  data: Base64.optional(),
});

/** Payloads as Temporal's tools send them to a codec server: protobuf's JSON, which leaves out an empty list; bytes in Base64. */
export const Payloads = named(
  'Payloads',
  z
    .object({ payloads: z.array(WirePayload).default([]) })
    .meta({ description: "Temporal's Payloads, bytes in Base64." }),
);

export const fromWire = ({ metadata, data }: z.infer<typeof WirePayload>): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  ),
  data: Buffer.from(data ?? '', 'base64'),
});

export const toWire = ({ metadata, data }: Payload): z.infer<typeof WirePayload> => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
  data: base64(data ?? []),
});

const base64 = (bytes: Uint8Array | never[]): string => Buffer.from(bytes).toString('base64');

const example = (encoding: string, data: string) => ({
  payloads: [{ metadata: { encoding: base64(Buffer.from(encoding)) }, data: base64(Buffer.from(data)) }],
});

export const EXAMPLE_DECODED = example('json/plain', '{"owner":"acct-1","manualPrompt":"We sell shoes."}');
export const EXAMPLE_ENCODED = example('binary/encrypted', '…');
