import assert from 'node:assert/strict';
import { SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { onlyKnown } from '../../src/tracing/only-known.js';

const SECRET = 'We sell shoes of zanzibar';

describe('What leaves the process of a span', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(onlyKnown(exporter))] });

  it('is its name, its times, and attributes that are known to be harmless', () => {
    const error = new TypeError(SECRET);
    const span = provider.getTracer('test').startSpan('RunActivity:initialize', {
      attributes: { run_id: 'r', prompt: SECRET, owner: 'ann' },
      links: [
        { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes: { a: SECRET } },
      ],
    });
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    span.end();

    const [sent] = exporter.getFinishedSpans();
    assert.ok(sent);
    assert.equal(sent.name, 'RunActivity:initialize');
    assert.equal(sent.spanContext().spanId, span.spanContext().spanId);
    assert.deepEqual(sent.attributes, { run_id: 'r' });
    assert.deepEqual(sent.status, { code: SpanStatusCode.ERROR });
    assert.deepEqual(
      sent.events.map(({ name, attributes }) => [name, attributes]),
      [['exception', { 'exception.type': 'TypeError' }]],
    );
    assert.deepEqual(sent.links, []);
  });
});
