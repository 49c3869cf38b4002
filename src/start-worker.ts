import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { activityInfo, getClient } from '@temporalio/activity';
import { Runtime, Worker, type InjectedSinks, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createDeleteErasedRuns, createEraseActivities } from './activities/erase-owner.js';
import {
  createActivities,
  type Activities,
  type EraseActivities,
  type ReconcileActivities,
} from './activities/index.js';
import { createReconcile } from './activities/reconcile.js';
import { createAnnouncer } from './feed/announcer.js';
import type { Feed } from './feed/feed.js';
import { createRuns } from './generations/runs.js';
import { registerSearchAttributes } from './generations/search-attributes.js';
import { createSharedClock } from './generations/shared-clock.js';
import { createStatus } from './generations/status.js';
import type { Config, LlmConfig } from './config.js';
import { LLM_PROGRESS_SIGNAL, llmTaskQueueOf, type LlmProgress } from './contract/names.js';
import type { Encryption } from './encryption/open-encryption.js';
import type { Ledger } from './ledger/types.js';
import { createOpenAiLlm } from './llm/openai-llm.js';
import { modelIdOf } from './llm/work-key.js';
import type { Logger } from './log.js';
import { countMended } from './metrics/count-mended.js';
import { measureActivities } from './metrics/measure-activities.js';
import { measureLlm } from './metrics/measure-llm.js';
import type { SdkMetrics } from './metrics/sdk-metrics.js';
import type { WorkerMetrics } from './metrics/worker-metrics.js';
import { runWorkers, type RunningWorker } from './run-workers.js';
import { scheduleReconciler } from './schedule-reconciler.js';
import type { FeedSinks } from './workflows/progress.js';
import { clientOver } from './temporal-connection.js';
import type { Tracing } from './tracing/start-tracing.js';
import { traceActivities, workflowSpans } from './tracing/temporal-interceptors.js';
import { traceLlm } from './tracing/trace-llm.js';

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
 * is part of a bundle: readable for operators, or in payloads that are encrypted. So is tracing, whose code each workflow
 * would load for nothing where it is off. What one bundle began another may go on with.
 */
const workflowBundleOf = ({ encrypted, traced }: { encrypted: boolean; traced: boolean }): string =>
  fileURLToPath(
    new URL(`./workflow-bundle${encrypted ? '-encrypted' : ''}${traced ? '-traced' : ''}.js`, import.meta.url),
  );

export interface WorkerDeps {
  config: Pick<Config, 'minimumTokens' | 'maxOutputTokens' | 'temporal' | 'llmLimits'>;
  connection: NativeConnection;
  namespace: string;
  ledger: Ledger;
  llm: LlmConfig;
  log: Logger;
  encryption: Pick<Encryption, 'on' | 'dataConverter' | 'forgetDestroyed'>;
  /** Where API processes hear of each step. */
  feed: Pick<Feed, 'publish'>;
  metrics: WorkerMetrics;
  tracing?: Tracing | undefined;
  /** Other than the built one: for tests. */
  workflowBundle?: WorkerOptions['workflowBundle'];
}

/** Of the SDK's native part; `other` are its libraries. */
const NATIVE_LOG = { core: 'WARN', other: 'ERROR' } as const;

/** What the SDK warns of at the start of a worker like ours for the calls of the model. */
const ACTIVITIES_ALONE = 'No workflows registered';

/** Sends the SDK's own log into ours, that of its native part too, and leaves signals to us. Once per process, before the first worker. */
export function installRuntime(log: Logger, metrics?: SdkMetrics['exporter']): void {
  const write = (level: 'trace' | 'debug' | 'warn' | 'error') => (message: string, meta?: object) => {
    log[level](meta ?? {}, message);
  };
  // What the SDK has to say when all is well is of no interest to an operator.
  const writers = {
    TRACE: write('trace'),
    DEBUG: write('debug'),
    INFO: write('debug'),
    WARN: (message: string, meta?: object) => {
      write(message.startsWith(ACTIVITIES_ALONE) ? 'debug' : 'warn')(message, meta);
    },
    ERROR: write('error'),
  };
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: NATIVE_LOG, forward: {} }, ...(metrics ? { metrics } : {}) },
    logger: {
      log: (level, message, meta) => {
        writers[level](message, meta);
      },
      trace: writers.TRACE,
      debug: writers.DEBUG,
      info: writers.INFO,
      warn: writers.WARN,
      error: writers.ERROR,
    },
  });
}

/**
 * What a workflow task leaves behind is garbage at once, but V8 lets tens of MB of it pile up in the thread that
 * runs workflows. Holds for threads made from here on; this process's own heap is already laid out.
 */
const WORKFLOW_THREAD_FLAGS = '--max-semi-space-size=2';

/** Starts working on the task queue and on that of the calls of the model, and sees to it that its reconciler is called. */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, connection, namespace, ledger, llm, log, encryption, metrics, tracing } = deps;
  const { taskQueue } = config.temporal;
  const { perSecond, concurrent } = config.llmLimits;
  const llmTaskQueue = llmTaskQueueOf(taskQueue);
  setFlagsFromString(WORKFLOW_THREAD_FLAGS);
  const client = clientOver(connection, namespace, encryption.dataConverter);
  // Before there is a worker: where this fails, none holds the connection that is to be closed then.
  await registerSearchAttributes(client, log);
  await scheduleReconciler(client, taskQueue, log);
  const clock = createSharedClock({ ledger, log });
  const { status } = createStatus({ client, ledger, log, now: clock.now });
  const identity = `${process.pid}@${hostname()}#${randomUUID().slice(0, 8)}`;
  // Before the worker: nothing is done by one that nobody has heard of.
  const announcer = await createAnnouncer({ feed: deps.feed, worker: identity, modelId: modelIdOf(llm), log });
  const erasing = { ledger, ...createRuns(client), forgetKeys: encryption.forgetDestroyed };
  const reconcile = createReconcile({
    ledger,
    lookAt: ({ taskId, owner }) => status(taskId, { kind: 'owner', owner }),
    deleteErasedRuns: createDeleteErasedRuns(erasing),
  });
  const both = {
    connection,
    namespace,
    identity,
    dataConverter: encryption.dataConverter,
    ...versioningOf(config.temporal.deployment),
    interceptors: { activity: [measureActivities(metrics), ...(tracing ? [traceActivities] : [])] },
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
  } satisfies Partial<WorkerOptions>;
  const steps = createActivities({
    ledger,
    llm: measureLlm(traceLlm(createOpenAiLlm(llm), llm.model), metrics),
    modelId: modelIdOf(llm),
    tellWorkflow,
    showText: (text) => {
      announcer.write(text);
    },
    minimumTokens: config.minimumTokens,
    maxOutputTokens: config.maxOutputTokens,
    ...(perSecond === undefined && concurrent === undefined ? {} : { llmTaskQueue }),
  });
  const worker = await Worker.create({
    ...both,
    taskQueue,
    workflowBundle: deps.workflowBundle ?? {
      codePath: workflowBundleOf({ encrypted: encryption.on, traced: tracing !== undefined }),
    },
    activities: {
      ...steps,
      ...createEraseActivities(erasing),
      reconcile: countMended(async () => {
        await clock.ask();
        return reconcile();
      }, metrics),
    } satisfies Activities & EraseActivities & ReconcileActivities,
    sinks: {
      ...(tracing ? workflowSpans(tracing) : {}),
      feed: {
        announce: {
          fn: (_, snapshot) => {
            announcer.announce(snapshot);
          },
        },
      },
    } satisfies InjectedSinks<FeedSinks>,
    maxConcurrentActivityTaskExecutions: CONCURRENT_ACTIVITIES,
    maxCachedWorkflows: CACHED_WORKFLOWS,
  });
  // Also where nothing is limited here: another worker, or a run from before, may have sent a call there.
  const llmWorker = await Worker.create({
    ...both,
    taskQueue: llmTaskQueue,
    activities: { generateWithAI: steps.generateWithAI },
    maxConcurrentActivityTaskExecutions: concurrent ?? CONCURRENT_ACTIVITIES,
    ...(perSecond === undefined ? {} : { maxTaskQueueActivitiesPerSecond: perSecond }),
  });
  const running = runWorkers([worker, llmWorker]);
  const ended = running.ended.finally(() => announcer.stop());
  return {
    ended,
    stop: async () => {
      await running.stop();
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
