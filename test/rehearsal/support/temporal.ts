import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../src/free-port.js';
import { serviceOf, type Compose, type Service } from '../../deployment/read-deployment.js';

type Settings = Record<string, string>;

/** Each role of the server listens on two; all roles are one process. */
const PORTS = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((role) => [
  `${role}_GRPC_PORT`,
  `${role}_MEMBERSHIP_PORT`,
]);

export interface Temporal {
  /** host:port of its frontend. */
  address: string;
  metricsUrl: string;
  stop(): Promise<void>;
}

interface TemporalOptions {
  compose: Compose;
  /** Where its programs are. */
  path: string;
  database: URL;
  /** For files of its own. */
  folder: string;
  /** On top of what the compose file mounts. */
  dynamicConfig: string;
}

/** Sets up the schema, starts the server and makes its namespace, by the services of the compose file. */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { compose, path, database, folder, dynamicConfig } = options;
  const sql = { SQL_HOST: database.hostname, SQL_PORT: database.port };
  await runJob(compose, 'temporal-schema', { ...sql, PATH: path });

  const ports = Object.fromEntries(
    await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const)),
  );
  const address = `127.0.0.1:${ports.FRONTEND_GRPC_PORT}`;
  const metrics = `127.0.0.1:${await freePort()}`;
  const settings = environmentOf(compose, 'temporal');
  const configFile = join(folder, 'dynamic-config.yaml');
  await writeFile(configFile, (await readFile(settings.DYNAMIC_CONFIG_FILE_PATH!, 'utf8')) + dynamicConfig);
  const server = spawn('temporal-server', ['start'], {
    env: {
      ...settings,
      ...ports,
      DYNAMIC_CONFIG_FILE_PATH: configFile,
      POSTGRES_SEEDS: database.hostname,
      DB_PORT: database.port,
      BIND_ON_IP: '127.0.0.1',
      PROMETHEUS_ENDPOINT: metrics,
      FRONTEND_HTTP_PORT: String(await freePort()),
      PATH: path,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-3_000)));
  const killWithUs = (): void => void server.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise<void>((resolve) => server.once('close', resolve));
  const stop = async (): Promise<void> => {
    process.off('exit', killWithUs);
    server.kill('SIGTERM');
    await ended;
  };
  try {
    const died = ended.then(() => Promise.reject(new Error('the Temporal server ended at its start')));
    await Promise.race([runJob(compose, 'temporal-namespace', { TEMPORAL_ADDRESS: address, PATH: path }), died]);
    died.catch(() => undefined);
  } catch (cause) {
    await stop();
    throw new Error(`The topology has no Temporal. Its server said:\n${said}`, { cause });
  }
  return { address, metricsUrl: `http://${metrics}/metrics`, stop };
}

/** Runs a one-shot service to its end, as often as it may be tried again there. */
async function runJob(compose: Compose, name: string, addresses: Settings): Promise<void> {
  const service = serviceOf(compose, name);
  const [program = '', ...rest] = service.command ?? [];
  const env = { ...environmentOf(compose, name), ...addresses };
  await promisify(execFile)(
    program,
    rest.map((word) => hereOf(service, word)),
    { env },
  );
}

function environmentOf(compose: Compose, name: string): Settings {
  const service = serviceOf(compose, name);
  const settings = Object.entries(service.environment ?? {});
  return Object.fromEntries(settings.map(([key, value]) => [key, hereOf(service, value ?? '')]));
}

/** A path of a file that the service mounts, where that file is here; anything else as it is. */
const hereOf = ({ volumes = [] }: Service, path: string): string => {
  const volume = volumes.find(({ target }) => path.startsWith(`${target}/`));
  return volume ? path.replace(volume.target, volume.source) : path;
};
