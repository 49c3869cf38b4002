import { trace } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { OpenTelemetrySinks } from '@temporalio/interceptors-opentelemetry/lib/workflow/definitions.js';
import { TRACE_HEADER } from '../contract/names.js';
import type { Tracing } from './start-tracing.js';

/**
 * Takes a trace on into the workflow that is started in it. Nothing else: a poll's query would be a trace of its own, each
 * second of each task.
 */
export function traceStarts(): WorkflowClientInterceptor {
  const traced = new OpenTelemetryWorkflowClientInterceptor();
  return {
    startWithDetails: (input, next) => (trace.getActiveSpan() ? traced.startWithDetails(input, next) : next(input)),
  };
}

/** Spans for the activities of traced workflows; what they log names the trace. */
export const traceActivities: ActivityInterceptorsFactory = (ctx) => {
  const traced = new OpenTelemetryActivityInboundInterceptor(ctx);
  return {
    inbound: {
      execute: (input, next) => (TRACE_HEADER in input.headers ? traced.execute(input, next) : next(input)),
    },
    outbound: new OpenTelemetryActivityOutboundInterceptor(ctx),
  };
};

/** Where the spans made in workflows go (src/workflows/trace/interceptors.ts). */
export const workflowSpans = ({ spanProcessor, resource }: Tracing): InjectedSinks<OpenTelemetrySinks> => ({
  exporter: makeWorkflowExporter(spanProcessor, resource),
});
