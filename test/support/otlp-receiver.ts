import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** '': the root of its trace. */
  parentSpanId: string;
  name: string;
  service: string;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  status: { code?: number; message?: string };
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  endpoint: string;
  /** All so far. */
  spans(): ReceivedSpan[];
  /** Everything that was sent, as bytes: to be searched for what must not be in it. */
  sent(): Buffer;
  /** The headers of the last request. */
  headers(): Record<string, string | string[] | undefined>;
  stop(): Promise<void>;
}

/** The part of opentelemetry-proto that a trace needs. */
const REQUEST = protobuf
  .parse(
    `syntax = "proto3";
    message Request { repeated ResourceSpans resource_spans = 1; }
    message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
    message Resource { repeated KeyValue attributes = 1; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span {
      bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
      repeated KeyValue attributes = 9; repeated Event events = 11; Status status = 15;
    }
    message Event { string name = 2; repeated KeyValue attributes = 3; }
    message Status { string message = 2; int32 code = 3; }
    message KeyValue { string key = 1; AnyValue value = 2; }
    message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }`,
  )
  .root.lookupType('Request');

type Attributes = { key: string; value: Record<string, unknown> }[];
interface DecodedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  status: ReceivedSpan['status'] | null;
}
interface Decoded {
  resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: DecodedSpan[] }[] }[];
}

/** A collector of traces: OTLP over HTTP, in protobuf. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  let headers = {};
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/x-protobuf') {
        response.writeHead(404).end();
        return;
      }
      headers = request.headers;
      const whole = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole;
      bodies.push(body);
      spans.push(...spansOf(body));
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => [...spans],
    sent: () => Buffer.concat(bodies),
    headers: () => headers,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function spansOf(body: Buffer): ReceivedSpan[] {
  const options = { longs: Number, bytes: String, defaults: true, arrays: true };
  const { resourceSpans } = REQUEST.toObject(REQUEST.decode(body), options) as Decoded;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        name: span.name,
        service: String(toRecord(resource.attributes)['service.name']),
        attributes: toRecord(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: toRecord(attributes) })),
        status: span.status ?? {},
      })),
    ),
  );
}

const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

const toRecord = (attributes: Attributes): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
