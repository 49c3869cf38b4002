import { createServer, type RequestListener, type Server } from 'node:http';

/** What one client may take of the server. Times in ms. */
export interface ServerLimits {
  /** For the headers to arrive, from the opening of a connection on. */
  headersMs: number;
  /** For the whole request to arrive. The answer may take minutes (the blocking endpoint). */
  requestMs: number;
  /** How often the two above are looked at: a slow request lives that much longer at most. */
  checkEveryMs: number;
  /** Without a byte in either direction: a client that reads no answer is cut off then. */
  silenceMs: number;
  /** How long an idle connection is kept for the next request. */
  keepAliveMs: number;
  /** Connections at a time; further ones are closed at once. */
  connections: number;
}

const LIMITS: ServerLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  checkEveryMs: 1_000,
  // Longer than the 110 s for which the blocking endpoint may have nothing to say.
  silenceMs: 130_000,
  // Longer than the 60 s after which common proxies drop an idle connection, so that they drop it first.
  keepAliveMs: 65_000,
  // Far below the number of files that a process may have open, so that no flood takes away the connections to Temporal and the database.
  connections: 12_000,
};

/** An HTTP server that ends by itself whoever is slow to send or to read. */
export function createHttpServer(answer: RequestListener, limits: Partial<ServerLimits> = {}): Server {
  const { headersMs, requestMs, checkEveryMs, silenceMs, keepAliveMs, connections } = { ...LIMITS, ...limits };
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkEveryMs,
      keepAliveTimeout: keepAliveMs,
    },
    answer,
  );
  server.maxConnections = connections;
  return server.setTimeout(silenceMs);
}
