import { trace } from '@opentelemetry/api';

/** For a line of the log: which trace it belongs to, if any. */
export function traceIds(): { trace_id?: string } {
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  return traceId === undefined ? {} : { trace_id: traceId };
}
