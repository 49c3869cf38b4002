import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, chown, constants, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/free-port.js';
import pg from 'pg';
import { eventually } from './eventually.js';

const run = promisify(execFile);

/** Where distributions put the server's programs, which they keep off the PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** A PostgreSQL server of the tests' own. */
export interface PostgresServer {
  /** Of its maintenance database. */
  url: string;
  /** At once, as a crash would; `start` again on the same data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

let shared: Promise<PostgresServer> | undefined;

/** The run's PostgreSQL: the server TEST_DATABASE_URL names, else one started at the first use. */
export const sharedPostgres = async (): Promise<string> =>
  process.env.TEST_DATABASE_URL ?? (await (shared ??= startPostgres())).url;

/** A new, empty database on the run's PostgreSQL. */
export const freshPostgres = async (): Promise<string> => freshDatabaseOn(await sharedPostgres());

/** A new, empty database on that server. */
export async function freshDatabaseOn(serverUrl: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

/** A database as `pg_dump`, which comes with the server, writes it. */
export async function dumpOf(databaseUrl: string): Promise<string> {
  const { stdout } = await run(join(await findPrograms('pg_dump'), 'pg_dump'), [databaseUrl], { maxBuffer: 500e6 });
  return stdout;
}

/** Ends the run's server, if one was started. */
export async function stopPostgres(): Promise<void> {
  await (await shared)?.remove();
}

/** Its superuser; with a password nobody gets in without it. `options` are the server's. */
interface PostgresOptions {
  user?: string;
  password?: string;
  options?: string[];
}

/** Makes a cluster in a temporary folder and starts its server on a free port. */
export async function startPostgres({
  user = 'postgres',
  password = '',
  options = [],
}: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = await findPrograms('initdb', 'postgres');
  const as = await whom();
  const folder = await mkdtemp(join(tmpdir(), 'test-postgres-'));
  if (as.uid !== undefined && as.gid !== undefined) await chown(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password);
  if (as.uid !== undefined && as.gid !== undefined) await chown(passwordFile, as.uid, as.gid);
  const method = password === '' ? ['-A', 'trust'] : ['-A', 'scram-sha-256', '--pwfile', passwordFile];
  await run(join(bin, 'initdb'), ['-D', data, '-U', user, ...method, '-E', 'UTF8', '--no-sync'], {
    ...as,
    cwd: folder,
  });
  const port = await freePort();
  const url = `postgres://${user}:${password}@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (!server) return;
    const ended = new Promise((resolve) => server?.once('close', resolve));
    server.kill(signal);
    server = undefined;
    await ended;
  };
  const start = async () => {
    const ours = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'];
    server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...ours, ...options], {
      ...as,
      cwd: folder,
      stdio: 'ignore',
    });
    await eventually(async () => {
      const client = new pg.Client(url);
      await client.connect();
      await client.end();
    });
  };
  await start();
  return {
    url,
    start,
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The folder that has these of the newest server's programs. */
async function findPrograms(...names: string[]): Promise<string> {
  const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN_FOLDER, version, 'bin')),
  ];
  for (const folder of folders) {
    const found = await Promise.all(names.map((name) => isProgram(join(folder, name))));
    if (folder !== '' && found.every(Boolean)) return folder;
  }
  throw new Error(
    'These tests need a PostgreSQL server. Install one (apt-get install postgresql, brew install postgresql@17) or set TEST_DATABASE_URL.',
  );
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** PostgreSQL refuses to run as root: then it runs as the user its package made. */
async function whom(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
