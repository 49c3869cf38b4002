import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities, EraseActivities } from '../../src/activities/index.js';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { PROGRESS_QUERY, WORKFLOW_TYPE, type GeneratePromptInput } from '../../src/contract/names.js';
import { attributePairs, firstAttributes } from '../../src/contract/search-attributes.js';
import type { Snapshot } from '../../src/contract/snapshot.js';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import type { generatePrompt } from '../../src/workflows/index.js';
import { SILENT_FEED } from './silent-feed.js';
import { temporal, workflowBundle } from './temporal.js';

/** A workflow test's own worker and task queue; see `useRig`. */
export interface Rig {
  env: TestWorkflowEnvironment;
  /** As the API's: rejects queries of closed workflows. */
  client: Client;
  taskQueue: string;
  /** Starts a worker with these activities on the test's queue; it is stopped when the test ends, or by the result. */
  work(
    activities: Activities & Partial<EraseActivities>,
    own?: Partial<Pick<WorkerOptions, 'identity' | 'sinks' | 'taskQueue' | 'maxConcurrentActivityTaskExecutions'>>,
  ): Promise<() => Promise<void>>;
  /** Starts a generation. */
  start(input?: Partial<GeneratePromptInput>, timeoutMs?: number): Promise<WorkflowHandle<typeof generatePrompt>>;
  /** Its query. */
  progress(taskId: string): Promise<Snapshot>;
  /** Adds a workflow that the test started elsewhere to those that are replayed. */
  replay(taskId: string): void;
}

/**
 * Gives each test of a `describe` a rig, and replays every history the test made when it ends. With SAVE_HISTORIES
 * set, the histories are written to that folder (how test/histories is made).
 */
export function useRig(): Rig {
  let stops: (() => Promise<void>)[] = [];
  let started: string[] = [];
  const rig = { taskQueue: '' } as Rig;

  before('start the Temporal server of this run', async function () {
    this.timeout(600_000);
    rig.env = await temporal();
    rig.client = new Client({ connection: rig.env.connection, workflow: { queryRejectCondition: 'NOT_OPEN' } });
    await workflowBundle();
  });

  beforeEach(function () {
    stops = [];
    started = [];
    rig.taskQueue = `${this.currentTest?.title ?? 'test'} ${randomUUID()}`;
  });

  afterEach('stop the workers and replay the histories', async function () {
    await Promise.all(stops.map((stop) => stop()));
    for (const workflowId of started) {
      const history = await rig.client.workflow.getHandle(workflowId).fetchHistory();
      await Worker.runReplayHistory(
        { workflowBundle: await workflowBundle(), sinks: SILENT_FEED },
        history,
        workflowId,
      );
      await save(this.currentTest?.title ?? workflowId, workflowId, rig.env.address);
    }
  });

  rig.work = async (activities, own = {}) => {
    const worker = await Worker.create({
      connection: rig.env.nativeConnection,
      taskQueue: rig.taskQueue,
      workflowBundle: await workflowBundle(),
      activities,
      sinks: SILENT_FEED,
      shutdownGraceTime: '100 ms',
      maxHeartbeatThrottleInterval: '100 ms',
      stickyQueueScheduleToStartTimeout: '1 s',
      ...own,
    });
    const running = worker.run();
    const stop = async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    };
    stops.push(stop);
    return stop;
  };

  rig.start = (input = {}, timeoutMs = WORKFLOW_TIMEOUT_MS) => {
    const taskId = randomUUID();
    started.push(taskId);
    return rig.client.workflow.start<typeof generatePrompt>(WORKFLOW_TYPE, {
      workflowId: taskId,
      taskQueue: rig.taskQueue,
      workflowExecutionTimeout: timeoutMs,
      memo: { owner: input.owner ?? 'ann' },
      typedSearchAttributes: attributePairs(firstAttributes(input.owner ?? 'ann')),
      args: [{ owner: 'ann', manualPrompt: 'We sell shoes.', ...input }],
    });
  };
  rig.progress = (taskId) => rig.client.workflow.getHandle(taskId).query<Snapshot>(PROGRESS_QUERY);
  rig.replay = (taskId) => started.push(taskId);
  return rig;
}

/** As `temporal workflow show` and the Web UI's download have it. */
async function save(title: string, workflowId: string, address: string): Promise<void> {
  const folder = process.env.SAVE_HISTORIES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const cli = await findTemporalCli(() => undefined);
  const show = ['workflow', 'show', '--workflow-id', workflowId, '--address', address, '--output', 'json'];
  const { stdout } = await promisify(execFile)(cli, show, { maxBuffer: 50e6 });
  await writeFile(join(folder, `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`), stdout);
}
