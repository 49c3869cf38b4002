import type { Server } from 'node:http';

/** How long answers under way may take once no new request is taken, in ms. */
const DRAIN_MS = 5_000;
const SWEEP_MS = 50;

/** Takes no new connection, lets the answers under way out, and closes what is idle or takes too long. */
export async function close(server: Server): Promise<void> {
  // Connections kept alive become idle one by one, as their last answers end.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, SWEEP_MS);
  const limit = setTimeout(() => {
    server.closeAllConnections();
  }, DRAIN_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      server.close((error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  } finally {
    clearInterval(sweep);
    clearTimeout(limit);
  }
}
