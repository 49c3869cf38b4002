import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as rest } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { freePort } from '../../../src/free-port.js';
import { pino } from 'pino';
import { findTemporalCli } from '../../../src/dev/temporal-cli.js';
import { startTemporalServer, type TemporalServer } from '../../../src/dev/temporal-server.js';
import { masterKeySetting } from '../../encryption/support.js';
import { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { ownPort } from '../../support/place.js';
import { freshDatabaseOn, startPostgres, type PostgresServer } from '../../support/postgres.js';
import { runProgram, SECRET, untilReady, type Program } from '../../support/program.js';
import { startFaultyLlm, type FaultyLlm } from './faulty-llm.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

const API = 'dist/api/server.js';
const WORKER = 'dist/worker.js';
/** Runs with NODE_OPTIONS `--import tsx`. */
export const TEST_WORKER = 'test/faults/support/test-worker.ts';
/** How long a supervisor waits before it starts again what ended. */
const RESTART_MS = 500;

type Settings = Record<string, string>;

/** A program that is started again whenever it ends, as a supervisor in production does. */
export interface Supervised {
  /** Ends its process, as a crash would; the supervisor starts it again. */
  kill(): Promise<void>;
  /** Asks its process to stop, as a roll-out does, and returns its exit code once the next one runs. */
  restart(): Promise<number | null>;
  /** Of the process that runs now. */
  pid(): number;
  /** Ends its process, and runs another program in its place, once: `ended` tells when that has ended. */
  become(main: string, settings: Settings): Promise<{ ended: Promise<unknown> }>;
  stop(): Promise<void>;
  /** Everything that all its processes have written. */
  output(): string;
}

/** How many of each, with which settings besides the world's own. */
export interface WorldOptions {
  apis?: Settings[];
  workers?: Settings[];
  cuttable?: boolean;
}

/** The whole service as real processes of its own, every one of which can be killed: two APIs, a worker, and what they need. */
export class World {
  readonly masterKeys = masterKeySetting();
  readonly taskQueue = `faults ${randomUUID()}`;
  /** Where FAULTS_LOGS is set: the folder in which everything that is said is left, to find out what went wrong. */
  readonly logs = process.env.FAULTS_LOGS && join(process.env.FAULTS_LOGS, this.taskQueue);
  readonly apis: { url: string; program: Supervised }[] = [];
  readonly workers: Supervised[] = [];
  #turn = 0;
  /** Each call goes to the other API than the one before. */
  readonly api = new ApiClient(() => this.nextUrl());
  temporal!: TemporalServer;
  client!: Client;
  /** Between the workers and Temporal, where the world is a cuttable one. */
  proxy?: TcpProxy;

  /** Those that run in this process. */
  static readonly all = new Set<World>();

  private constructor(
    readonly folder: string,
    readonly cliPath: string,
    readonly temporalPort: number,
    readonly llm: FaultyLlm,
    readonly postgres: PostgresServer,
    readonly databaseUrl: string,
  ) {}

  static async start({ apis = [{}, {}], workers = [{}], cuttable = false }: WorldOptions = {}): Promise<World> {
    const postgres = await startPostgres();
    const world = new World(
      await mkdtemp(join(tmpdir(), 'faults-')),
      await findTemporalCli((line) => process.stderr.write(`${line}\n`)),
      await freePort(),
      await startFaultyLlm(),
      postgres,
      await freshDatabaseOn(postgres.url),
    );
    World.all.add(world);
    await world.startTemporal();
    world.client = new Client({ connection: Connection.lazy({ address: world.temporalAddress }) });
    if (cuttable) world.proxy = await startTcpProxy({ host: '127.0.0.1', port: world.temporalPort });
    for (const settings of workers) world.addWorker(settings);
    world.apis.push(...(await Promise.all(apis.map((settings) => world.startApi(settings)))));
    return world;
  }

  get temporalAddress(): string {
    return `127.0.0.1:${this.temporalPort}`;
  }

  get settings(): Settings {
    return {
      TEMPORAL_ADDRESS: this.temporalAddress,
      TEMPORAL_TASK_QUEUE: this.taskQueue,
      DATABASE_URL: this.databaseUrl,
      OPENAI_BASE_URL: this.llm.baseUrl,
      AUTH_JWT_SECRET: SECRET,
      PAYLOAD_ENCRYPTION_KEYS: this.masterKeys,
      LOG_LEVEL: 'warn',
    };
  }

  nextUrl(): string {
    const api = this.apis[this.#turn++ % this.apis.length];
    if (!api) throw new Error('This world has no API');
    return api.url;
  }

  /** Starts the server on its port and its data: the first time, and after a kill. */
  async startTemporal(): Promise<void> {
    this.temporal = await startTemporalServer({
      cliPath: this.cliPath,
      dbFile: join(this.folder, 'temporal.db'),
      port: this.temporalPort,
      uiPort: null,
      log: this.logs
        ? pino({ level: 'debug' }, pino.destination({ dest: join(this.logs, 'temporal.log'), mkdir: true }))
        : pino({ level: 'silent' }),
    });
  }

  async killTemporalFor(seconds: number): Promise<void> {
    await this.temporal.kill();
    await rest(seconds * 1_000);
    await this.startTemporal();
  }

  addWorker(settings: Settings = {}, main = WORKER): Supervised {
    const way = this.proxy ? { TEMPORAL_ADDRESS: this.proxy.address } : {};
    const worker = supervise(main, { ...this.settings, ...way, ...settings });
    this.workers.push(worker);
    return worker;
  }

  private async startApi(settings: Settings): Promise<{ url: string; program: Supervised }> {
    const own = { PORT: await ownPort(), METRICS_PORT: await ownPort(), ...settings };
    const program = supervise(API, { ...this.settings, ...own });
    const url = `http://127.0.0.1:${own.PORT}`;
    await untilReady(url, program.first);
    return { url, program };
  }

  /** Waits until each API says that all is well, as after it was killed. */
  async untilReady(): Promise<void> {
    const isReady = async ({ url }: { url: string }) => {
      assert.equal((await fetch(`${url}/readyz`)).status, 200);
    };
    await Promise.all(this.apis.map((api) => eventually(() => isReady(api), { timeoutMs: 60_000, everyMs: 200 })));
  }

  /** A run as Temporal describes it to somebody without our keys. */
  async describe(workflowId: string) {
    const { workflowExecutionInfo } = await this.client.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId },
    });
    return workflowExecutionInfo;
  }

  /** What the Temporal CLI answers an operator, who tries again where it says that the run is busy with something else. */
  async cli(...command: string[]): Promise<string> {
    const run = () => promisify(execFile)(this.cliPath, [...command, '--address', this.temporalAddress]);
    const { stdout } = await eventually(run, { everyMs: 500, onlyAfter: (error) => /is busy/i.test(String(error)) });
    return stdout;
  }

  private get programs(): Supervised[] {
    return [...this.workers, ...this.apis.map(({ program }) => program)];
  }

  /** What its programs have warned of, and how often. */
  warnings(): string[] {
    return this.programs.flatMap((program, n) =>
      countWarnings(program.output()).map((line) => `program ${n}: ${line}`),
    );
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    World.all.delete(this);
    const { programs } = this;
    await Promise.all(programs.map((program) => program.stop()));
    if (this.logs) {
      await mkdir(this.logs, { recursive: true });
      for (const [n, program] of programs.entries())
        await writeFile(join(this.logs, `program-${n}.log`), program.output());
    }
    await this.client.connection.close();
    await this.proxy?.stop();
    await this.temporal.stop();
    await this.llm.stop();
    await this.postgres.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}

interface LogLine {
  level: number;
  msg: string;
  err?: { message: string };
  error?: { message: string };
}

function countWarnings(output: string): string[] {
  const counts = new Map<string, number>();
  for (const line of output.split('\n').filter(Boolean)) {
    let said = line;
    if (line.startsWith('{') && line.endsWith('}')) {
      const { level, msg, err, error } = JSON.parse(line) as LogLine;
      if (level < pino.levels.values.warn!) continue;
      said = [msg, (err ?? error)?.message ?? []].flat().join(': ');
    }
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  return [...counts].map(([said, times]) => `${times} x ${said}`);
}

/** Runs a main and starts it again whenever it ends. */
function supervise(main: string, settings: Settings): Supervised & { first: Program } {
  let next = { main, settings };
  let stopped = false;
  const runs: Program[] = [];
  const run = (): Program => {
    const program = runProgram(next.main, next.settings);
    runs.push(program);
    next = { main, settings };
    void program.exited.then(async () => {
      await rest(RESTART_MS);
      if (!stopped) current = run();
    });
    return program;
  };
  let current = run();
  const nextAfter = async (before: Program): Promise<void> => {
    await before.exited;
    await eventually(() => {
      assert.notEqual(current, before);
    });
  };
  return {
    first: current,
    output: () => runs.map((program) => program.output()).join(''),
    kill: () => current.kill(),
    become: async (otherMain, otherSettings) => {
      next = { main: otherMain, settings: { ...settings, ...otherSettings } };
      const before = current;
      await before.kill();
      await nextAfter(before);
      return { ended: current.exited };
    },
    restart: async () => {
      const before = current;
      process.kill(before.pid, 'SIGTERM');
      await nextAfter(before);
      return before.exited;
    },
    pid: () => current.pid,
    stop: async () => {
      stopped = true;
      await current.stop();
    },
  };
}
