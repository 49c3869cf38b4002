import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../config.js';

/** Where to listen, and the setting that says so. */
export interface ListenOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  setting: string;
}

/**
 * Listens, and returns the port.
 * @throws ConfigError naming the setting, where the port can't be had.
 */
export async function listen(server: Server, { host, port, setting }: ListenOptions): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'is taken by another program' : `can't be used (${codeOf(error)})`;
    throw new ConfigError(`${setting}: port ${port} of ${host} ${why}. Set ${setting} to a free one.`);
  }
  return (server.address() as AddressInfo).port;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** The URL under which this machine reaches what listens on `host`. */
export function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
