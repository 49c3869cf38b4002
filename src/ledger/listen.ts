import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../log.js';
import type { Listening } from './database.js';

/** A connection that nobody answers on is as good as broken, though the network may not say so for minutes. */
const PROBE_EVERY_MS = 2_000;
const PROBE_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 500;

/** Listens to a PostgreSQL server; see `Database.listen`. Returns at once: `connected` says when it hears. */
export function listenTo(
  databaseUrl: string,
  { channels, notification, connected, disconnected }: Listening,
  log: Logger,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function listenOnce(): Promise<void> {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
      application_name: 'prompt-generation-feed',
    });
    const broken = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => {
        reject(new Error('The connection was closed'));
      });
    });
    // It may break while something else is waited for.
    broken.catch(() => undefined);
    client.on('notification', ({ channel, payload = '' }) => {
      notification(channel, payload);
    });
    try {
      await Promise.race([client.connect(), broken]);
      for (const channel of channels) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
      connected();
      while (!signal.aborted) {
        await Promise.race([delay(PROBE_EVERY_MS, undefined, { signal }), broken]);
        await client.query('SELECT 1');
      }
    } finally {
      disconnected();
      // Whatever is still to be said to a server that may not be there: nobody waits for it.
      client.end().catch(() => undefined);
    }
  }

  async function listenAlways(): Promise<void> {
    while (!signal.aborted) {
      try {
        await listenOnce();
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn({ err: error }, 'the feed of progress broke; statuses are asked for until it is back');
        await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  const listening = listenAlways();
  return Promise.resolve(async () => {
    stopping.abort();
    await listening;
  });
}
