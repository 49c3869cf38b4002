import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as rest } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import type { Logger } from '../log.js';

/**
 * One shard of history is read 20 times a second by default, which makes each step wait 50 ms; and one query is
 * buffered per run, which makes parallel polls wait seconds. Lists of runs may lag: read seldom, what a run wrote to
 * its memo in between is skipped once it has ended, which saves a tenth of its time. A run is deleted once all queues have
 * said that they are past it, by default every 30 s. Fairness: what waits is taken by owners in turn, exactly so by one partition.
 * Exact spellings: unknown keys are silently ignored.
 */
export const SERVER_FLAGS = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=10',
  'history.MaxBufferedQueryCount=100',
  'history.transferProcessorUpdateAckInterval="1s"',
  'history.visibilityProcessorUpdateAckInterval="1s"',
  'system.enableActivityEagerExecution=true',
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
].flatMap((setting) => ['--dynamic-config-value', setting]);

/** The server's garbage is collected at five times what it keeps instead of twice: memory for a tenth of the time. */
const GOGC = '400';

/** The one namespace a dev server makes by itself. */
const NAMESPACE = 'default';

/** How long a start may take, and how long a stop may before it is forced. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** Ended generations can be read from Temporal this long; then from the ledger. */
const RETENTION_SECONDS = 72 * 3_600;

export interface ServerOptions {
  cliPath: string;
  /** Keeps its state there; absent: in memory. */
  dbFile?: string;
  port: number;
  /** null: without the Web UI. */
  uiPort: number | null;
  /** Where the Web UI has payloads decrypted. */
  codecEndpoint?: string;
  /** Other than `SERVER_FLAGS`: for measuring what they do. */
  flags?: string[];
  /** Where it tells its own metrics; absent: nobody knows where. */
  metricsPort?: number;
  log: Logger;
}

export interface TemporalServer {
  /** host:port of its gRPC frontend. */
  address: string;
  uiUrl: string | null;
  namespace: string;
  pid: number;
  /** Resolves when the process has ended, by whatever reason. */
  exited: Promise<void>;
  stop(): Promise<void>;
  /** At once, as a crash would. */
  kill(): Promise<void>;
}

/**
 * Starts a Temporal dev server on these free ports and waits until its namespace can be used. It is a process group of
 * its own: Ctrl-C in a terminal must not end it before the worker has drained.
 */
export async function startTemporalServer(options: ServerOptions): Promise<TemporalServer> {
  const { cliPath, dbFile, port, uiPort, codecEndpoint, flags = SERVER_FLAGS, metricsPort, log } = options;
  const address = `127.0.0.1:${port}`;
  const child = spawn(
    cliPath,
    [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'],
      ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
      ...(codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', codecEndpoint]),
      ...(dbFile
        ? ['--db-filename', dbFile, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL']
        : []),
      ...flags,
    ],
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GOGC } },
  );
  const said = listen(child, log);
  // However this process ends, short of being killed: the server does not outlive it.
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const exited = new Promise<void>((resolve) => child.once('close', resolve)).finally(() => {
    process.off('exit', killWithUs);
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  const stop = async (): Promise<void> => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await end('SIGTERM').finally(() => {
      clearTimeout(force);
    });
  };
  try {
    await Promise.race([
      untilReady(address),
      exited.then(() => Promise.reject(new Error(`The Temporal server ended at its start:\n${said.join('')}`))),
    ]);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return {
    address,
    uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    namespace: NAMESPACE,
    pid: child.pid ?? -1,
    exited,
    stop,
    kill: () => end('SIGKILL'),
  };
}

/** Keeps the last of what it says, for an error; the rest is for a log at debug level. */
function listen(child: ChildProcess, log: Logger): string[] {
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said.push(text);
      if (said.length > 20) said.shift();
      log.debug({ part: 'temporal' }, text.trim());
    });
  }
  child.once('error', (error) => said.push(error.message));
  return said;
}

/** The frontend answers before its namespace is there; the first call that works on the namespace says both. */
async function untilReady(address: string): Promise<void> {
  const connection = Connection.lazy({ address });
  try {
    for (const giveUpAt = Date.now() + START_LIMIT_MS; ;) {
      try {
        await connection.withDeadline(Date.now() + 1_000, () =>
          connection.workflowService.updateNamespace({
            namespace: NAMESPACE,
            config: { workflowExecutionRetentionTtl: { seconds: RETENTION_SECONDS as never } },
          }),
        );
        return;
      } catch (error) {
        if (Date.now() > giveUpAt) throw new Error(`The Temporal server at ${address} is not ready`, { cause: error });
        await rest(100);
      }
    }
  } finally {
    await connection.close();
  }
}
