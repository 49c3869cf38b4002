import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { TracingConfig } from '../config.js';
import type { Logger } from '../log.js';
import { onlyKnown } from './only-known.js';

/** Traces that are sent somewhere. Where there are none, every span of ours costs nothing and is nothing. */
export interface Tracing {
  resource: Resource;
  spanProcessor: SpanProcessor;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** A collector that is away must not keep a process from stopping. */
const EXPORT_LIMIT_MS = 3_000;

/** Sends this process's traces to an OTLP collector over HTTP; `name` is the service's unless the settings say another. Once per process. */
export function startTracing(settings: TracingConfig, name: string, log: Logger): Tracing {
  const { endpoint, headers, sampleRatio, serviceName = name } = settings;
  diag.setLogger(diagnosticsTo(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler((err) => {
    log.warn({ err }, 'traces could not be sent');
  });
  const exporter = new OTLPTraceExporter({ url: tracesUrl(endpoint), headers, timeoutMillis: EXPORT_LIMIT_MS });
  const spanProcessor = new BatchSpanProcessor(onlyKnown(exporter), { exportTimeoutMillis: EXPORT_LIMIT_MS });
  const resource = new Resource({ 'service.name': serviceName });
  const provider = new BasicTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [spanProcessor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  // Nothing else is propagated: baggage could hold whatever a caller sends.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return { resource, spanProcessor, stop: () => provider.shutdown() };
}

/** As the OpenTelemetry specification makes it of OTEL_EXPORTER_OTLP_ENDPOINT. */
const tracesUrl = (endpoint: string): string => `${endpoint.replace(/\/$/, '')}/v1/traces`;

function diagnosticsTo(log: Logger) {
  const write = (level: 'error' | 'warn' | 'debug') => (message: string) => {
    log[level]({ part: 'OpenTelemetry' }, message);
  };
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('debug'),
    debug: write('debug'),
    verbose: write('debug'),
  };
}
