import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { readCompose, serviceOf, type Compose } from '../../deployment/read-deployment.js';
import { PRODUCTION } from '../../deployment/variables.js';
import { startPostgres, type PostgresServer } from '../../support/postgres.js';
import { runProgram, type Program } from '../../support/program.js';
import { makeImage } from './image.js';
import { pathWithTemporal } from './temporal-programs.js';
import { startTemporal } from './temporal.js';

type Settings = Record<string, string>;

/**
 * docker-compose.temporal.yml as processes of this machine. Versions, commands, scripts and settings of every service are those
 * of the file; other than there are only addresses, which here are ports of 127.0.0.1.
 */
export interface Topology {
  /** Starts an API or a worker in the image's folder; `more` are settings on top of those of the file. */
  run(service: 'api' | 'worker', more?: Settings): Program;
  /** Checks the health of the workers of this machine, as the file has it done in each container. */
  checkWorker(more?: Settings): Program;
  /** The settings that it gets there. */
  settingsOf(service: 'api' | 'worker'): Settings;
  /** What the Temporal CLI answers, as an operator runs it. */
  cli(...command: string[]): Promise<string>;
  client: Client;
  /** A run as Temporal describes it to somebody without our keys. */
  describe(workflowId: string): ReturnType<typeof describeRun>;
  databaseUrl: string;
  /** Of the service's data; Temporal has one of its own. */
  database: PostgresServer;
  /** Of the server that has Temporal's two databases. */
  temporalDatabase: PostgresServer;
  /** What Temporal's server tells Prometheus. */
  temporalMetricsUrl: string;
  stop(): Promise<void>;
}

interface TopologyOptions {
  /** Of production.env, on top of what it must have. */
  variables?: Settings;
  /** Lines for Temporal's dynamic configuration, on top of those of the file. */
  dynamicConfig?: string;
}

/** MUST come after `npm run build`. The first one on a machine builds the Temporal server. */
export async function startTopology({ variables = {}, dynamicConfig = '' }: TopologyOptions = {}): Promise<Topology> {
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const image = join(folder, 'app');
  const compose = await readCompose({ ...PRODUCTION, ...variables });
  const [, version = ''] = serviceOf(compose, 'temporal').image.split(':');
  const [path, database, temporalDatabase] = await Promise.all([
    pathWithTemporal(version, folder),
    startDatabase(compose, 'database'),
    startDatabase(compose, 'temporal-database'),
    makeImage(image),
  ]);
  const removeAll = async (): Promise<void> => {
    await Promise.all([database.remove(), temporalDatabase.remove()]);
    await rm(folder, { recursive: true, force: true });
  };
  const onDatabase = { compose, path, database: new URL(temporalDatabase.url), folder, dynamicConfig };
  const temporal = await startTemporal(onDatabase).catch(async (error: unknown) => {
    await removeAll();
    throw error;
  });
  const addresses = { 'database:5432': new URL(database.url).host, 'temporal:7233': temporal.address };
  const settingsOf = (service: string): Settings => {
    const all = Object.entries(serviceOf(compose, service).environment ?? {});
    // In containers each has an address of its own. Here a port that is not chosen may be taken.
    const settings = all.filter(([name]) => name !== 'METRICS_PORT');
    return Object.fromEntries(settings.map(([name, value]) => [name, replaceAll(value ?? '', addresses)]));
  };
  const { TEMPORAL_NAMESPACE: namespace = '', DATABASE_URL: databaseUrl = '' } = settingsOf('api');
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace });
  const start = (main: string, service: string, more?: Settings): Program =>
    runProgram(main, { NODE_ENV: 'production', ...settingsOf(service), ...more }, image);
  return {
    settingsOf,
    run: (service, more) => start(serviceOf(compose, service).command?.[1] ?? 'dist/api/server.js', service, more),
    checkWorker: (more) => start(serviceOf(compose, 'worker').healthcheck?.test[2] ?? '', 'worker', more),
    cli: async (...command) => {
      const env = { PATH: path, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: namespace, HOME: folder };
      return (await promisify(execFile)('temporal', command, { env, maxBuffer: 50e6 })).stdout;
    },
    client,
    describe: (workflowId) => describeRun(client, workflowId),
    databaseUrl,
    database,
    temporalDatabase,
    temporalMetricsUrl: temporal.metricsUrl,
    stop: async () => {
      await connection.close();
      await temporal.stop();
      await removeAll();
    },
  };
}

async function describeRun({ workflowService, options: { namespace } }: Client, workflowId: string) {
  const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId },
  });
  return workflowExecutionInfo;
}

/** As the image of PostgreSQL does it at its first start. */
async function startDatabase(compose: Compose, name: string): Promise<PostgresServer> {
  const { environment, command } = serviceOf(compose, name);
  const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = environment ?? {};
  if (!user || !password || !database) throw new Error(`The service ${name} has no user, password or database`);
  const server = await startPostgres({ user, password, options: command?.slice(1) ?? [] });
  if (database === 'postgres') return server;
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  return server;
}

const replaceAll = (text: string, replacements: Settings): string =>
  Object.entries(replacements).reduce((so, [from, to]) => so.replaceAll(from, to), text);
