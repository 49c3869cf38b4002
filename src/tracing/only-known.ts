import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/** Every attribute that leaves this process. None of them can hold a text of a user or a model, a token or an owner. */
const KNOWN = new Set([
  'error.type',
  'exception.type',
  'gen_ai.operation.name',
  'gen_ai.request.max_tokens',
  'gen_ai.request.model',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'run_id',
  'task_id',
  'temporalActivityId',
  'temporalWorkflowId',
]);

/** Exports what is known to be harmless: libraries write messages and stacks of errors into spans, which may quote anything. */
export const onlyKnown = (exporter: SpanExporter): SpanExporter => ({
  export: (spans, done) => {
    exporter.export(spans.map(harmless), done);
  },
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
});

/** A view of the span: its other members stand on its prototype chain. */
const harmless = (span: ReadableSpan): ReadableSpan =>
  Object.create(span, {
    attributes: { value: known(span.attributes) },
    status: { value: { code: span.status.code } },
    events: { value: span.events.map((event) => ({ ...event, attributes: known(event.attributes ?? {}) })) },
    links: { value: [] },
  }) as ReadableSpan;

const known = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => KNOWN.has(name)));
