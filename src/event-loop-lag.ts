import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay();
delay.enable();

/** How late this process came to its timers since the last call, in ms, on average: it, or its machine, has too much to do. */
export function eventLoopLagMs(): number {
  const lag = delay.count === 0 ? 0 : delay.mean / 1e6;
  delay.reset();
  return lag;
}
