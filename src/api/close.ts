import type { Server } from 'node:http';
import { setImmediate as afterReading } from 'node:timers/promises';

/** How long answers under way may take once no new request is taken, in ms. */
const DRAIN_MS = 5_000;
const SWEEP_MS = 50;

/** Takes no new connection, lets the answers under way out, and closes what is idle or takes too long. */
export async function close(server: Server): Promise<void> {
  // A connection is idle only where nothing has arrived on it: what has, must be read first, and what waits to be accepted, too.
  await afterReading();
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  // Connections kept alive become idle one by one, as their last answers end.
  const sweep = setInterval(() => {
    setImmediate(() => {
      server.closeIdleConnections();
    });
  }, SWEEP_MS);
  const limit = setTimeout(() => {
    server.closeAllConnections();
  }, DRAIN_MS);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(limit);
  }
}
