import { join, resolve } from 'node:path';
import getPort, { portNumbers } from 'get-port';
import type { Config, TemporalTarget } from '../config.js';
import type { Logger } from '../log.js';
import { endProcess, removePid, writePid, type PidFile } from './processes.js';
import { cacheFolder, findTemporalCli, sources, type Report } from './temporal-cli.js';
import { startTemporalServer, type TemporalServer } from './temporal-server.js';

/** How many ports after the one that is asked for are tried. */
const PORTS_TRIED = 100;

export interface EmbeddedTemporal {
  target: TemporalTarget;
  uiUrl: string | null;
  stop(): Promise<void>;
  /** Resolves when the server has ended, by whatever reason. */
  ended: Promise<void>;
}

/**
 * Runs a Temporal dev server with its state under DATA_DIR. One that an earlier process left behind when it was killed
 * is ended first: it holds the state and the ports. `codecEndpoint`: where the Web UI has payloads decrypted.
 */
export async function startEmbeddedTemporal(
  { dataDir, temporal }: Pick<Config, 'dataDir' | 'temporal'>,
  log: Logger,
  report: Report,
  codecEndpoint: string | null,
): Promise<EmbeddedTemporal> {
  const cliPath = await findTemporalCli(report, sources(cacheFolder(), temporal.dev.cliPath));
  const dbFile = resolve(dataDir, 'temporal.db');
  const pidFile: PidFile = { path: join(dataDir, 'temporal.pid'), commandHas: dbFile };
  const orphan = await endProcess(pidFile);
  if (orphan !== null) report(`Ended the Temporal server that a killed service had left behind (process ${orphan}).`);
  const server = await startTemporalServer({
    cliPath,
    dbFile,
    port: await freePortFrom(temporal.dev.port),
    uiPort: await freePortFrom(temporal.dev.uiPort),
    ...(codecEndpoint === null ? {} : { codecEndpoint }),
    log,
  });
  await writePid(pidFile, server.pid);
  return {
    target: { connectionOptions: { address: server.address }, namespace: server.namespace },
    uiUrl: server.uiUrl,
    ended: server.exited,
    stop: () => stop(server, pidFile),
  };
}

async function stop(server: TemporalServer, pidFile: PidFile): Promise<void> {
  await server.stop();
  await removePid(pidFile);
}

/** That port, or the next free one; 0: any. */
const freePortFrom = (port: number): Promise<number> =>
  getPort({
    host: '127.0.0.1',
    ...(port > 0 ? { port: portNumbers(port, Math.min(port + PORTS_TRIED, 65_535)) } : {}),
  });
