import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { activityInfo, getClient } from '@temporalio/activity';
import { Runtime, Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createDeleteErasedRuns, createEraseActivities } from './activities/erase-owner.js';
import {
  createActivities,
  type Activities,
  type EraseActivities,
  type ReconcileActivities,
} from './activities/index.js';
import { createReconcile } from './activities/reconcile.js';
import { createRuns } from './generations/runs.js';
import { registerSearchAttributes } from './generations/search-attributes.js';
import { createStatus } from './generations/status.js';
import type { Config, LlmConfig } from './config.js';
import { LLM_PROGRESS_SIGNAL, type LlmProgress } from './contract/names.js';
import type { Encryption } from './encryption/open-encryption.js';
import type { Ledger } from './ledger/types.js';
import { createOpenAiLlm } from './llm/openai-llm.js';
import type { Logger } from './log.js';
import { scheduleReconciler } from './schedule-reconciler.js';
import { clientOver } from './temporal-connection.js';

/** As many as may wait at once: a workflow that is not cached is replayed for each poll. */
const CACHED_WORKFLOWS = 2_000;
/** LLM calls only wait: far more fit into one process than the SDK's default of 100. */
const CONCURRENT_ACTIVITIES = 2_000;
/**
 * Heartbeats carry cancellations back: a cancelled task's call of the model is aborted after this time at the latest.
 * Each costs the server a write, and hundreds of calls may wait.
 */
const HEARTBEAT_THROTTLE_MS = 5_000;
/** The answer of the model waits for its news to arrive, but no longer than this. */
const TELL_LIMIT_MS = 1_000;
/** Stopping: what runs may finish for this long, then it is cancelled and goes on at another worker. */
const GRACE_MS = 2_000;
const FORCE_MS = 8_000;

/**
 * Built by `npm run build`; bundling at every start would cost seconds and hundreds of megabytes. How failures are written
 * is part of a bundle: readable for operators, or in payloads that are encrypted.
 */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
const ENCRYPTED_WORKFLOW_BUNDLE = fileURLToPath(new URL('./workflow-bundle-encrypted.js', import.meta.url));

export interface WorkerDeps {
  config: Pick<Config, 'minimumTokens' | 'maxOutputTokens' | 'temporal'>;
  connection: NativeConnection;
  namespace: string;
  ledger: Ledger;
  llm: LlmConfig;
  log: Logger;
  encryption: Pick<Encryption, 'on' | 'dataConverter' | 'forgetDestroyed'>;
  /** Other than the built one: for tests. */
  workflowBundle?: WorkerOptions['workflowBundle'];
}

export interface RunningWorker {
  stop(): Promise<void>;
  /** Settles when the worker was stopped, or rejects when it dies by itself. */
  ended: Promise<void>;
}

/** Sends the SDK's own log into ours and leaves signals to us. Once per process, before the first worker. */
export function installRuntime(log: Logger): void {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) => {
    log[level](meta ?? {}, message);
  };
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) => {
        write(level.toLowerCase() as Lowercase<typeof level>)(message, meta);
      },
      trace: write('trace'),
      debug: write('debug'),
      info: write('debug'),
      warn: write('warn'),
      error: write('error'),
    },
  });
}

/**
 * What a workflow task leaves behind is garbage at once, but V8 lets tens of MB of it pile up in the thread that
 * runs workflows. Holds for threads made from here on; this process's own heap is already laid out.
 */
const WORKFLOW_THREAD_FLAGS = '--max-semi-space-size=2';

/** Starts working on the task queue, and sees to it that its reconciler is called. */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, connection, namespace, ledger, llm, log, encryption } = deps;
  const { taskQueue } = config.temporal;
  setFlagsFromString(WORKFLOW_THREAD_FLAGS);
  const client = clientOver(connection, namespace, encryption.dataConverter);
  // Before there is a worker: where this fails, none holds the connection that is to be closed then.
  await registerSearchAttributes(client, log);
  await scheduleReconciler(client, taskQueue, log);
  const { status } = createStatus({ client, ledger, log });
  const erasing = { ledger, ...createRuns(client), forgetKeys: encryption.forgetDestroyed };
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    dataConverter: encryption.dataConverter,
    ...versioningOf(config.temporal.deployment),
    workflowBundle: deps.workflowBundle ?? {
      codePath: encryption.on ? ENCRYPTED_WORKFLOW_BUNDLE : WORKFLOW_BUNDLE,
    },
    activities: {
      ...createActivities({
        ledger,
        llm: createOpenAiLlm(llm),
        tellWorkflow,
        minimumTokens: config.minimumTokens,
        maxOutputTokens: config.maxOutputTokens,
      }),
      ...createEraseActivities(erasing),
      reconcile: createReconcile({
        ledger,
        lookAt: ({ taskId, owner }) => status(taskId, { kind: 'owner', owner }),
        deleteErasedRuns: createDeleteErasedRuns(erasing),
      }),
    } satisfies Activities & EraseActivities & ReconcileActivities,
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
    maxCachedWorkflows: CACHED_WORKFLOWS,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
  });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** A run stays with the build that began it: so a new one may change the workflow's code without `patched`. */
const versioningOf = (version: Config['temporal']['deployment']): Partial<WorkerOptions> =>
  version
    ? {
        workerDeploymentOptions: { useWorkerVersioning: true, version, defaultVersioningBehavior: 'PINNED' },
      }
    : {};

/** Signals the run the current activity belongs to, and no later one of the same task. */
async function tellWorkflow(progress: LlmProgress): Promise<void> {
  const execution = activityInfo().workflowExecution;
  if (!execution) throw new Error('generateWithAI runs only in a workflow');
  const { workflowId, runId } = execution;
  const client = getClient();
  await client.withDeadline(Date.now() + TELL_LIMIT_MS, () =>
    client.workflow.getHandle(workflowId, runId).signal(LLM_PROGRESS_SIGNAL, progress),
  );
}
