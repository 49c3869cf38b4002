import type { MetricsExporterConfig } from '@temporalio/worker';
import { freePort } from '../free-port.js';

/** The metrics that Temporal's SDK keeps of its workers, in its own exporter on this machine alone. */
export interface SdkMetrics {
  /** For `installRuntime`. */
  exporter: MetricsExporterConfig;
  /** What it tells now, in Prometheus' text format. */
  read: () => Promise<string>;
}

const READ_LIMIT_MS = 2_000;

/** The SDK can only listen, not hand over: so it does on a free port of the loopback, and `serveMetrics` passes it on. */
export async function openSdkMetrics(): Promise<SdkMetrics> {
  const bindAddress = `127.0.0.1:${await freePort()}`;
  return {
    exporter: {
      prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
      attachServiceName: false,
    },
    read: async () => {
      const answer = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(READ_LIMIT_MS) });
      if (!answer.ok) throw new Error(`The SDK's metrics answered ${answer.status}`);
      return answer.text();
    },
  };
}
