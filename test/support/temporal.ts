import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  type BundleOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { pino } from 'pino';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { SERVER_FLAGS } from '../../src/dev/temporal-server.js';
import { registerSearchAttributes } from '../../src/generations/search-attributes.js';

let environment: Promise<TestWorkflowEnvironment> | undefined;
let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;
let tracedBundle: Promise<WorkflowBundleWithSourceMap> | undefined;
let encryptedBundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/**
 * The run's own Temporal server: the one TEST_TEMPORAL_ADDRESS names, else one started at its first use, with the
 * binary, flags and search attributes of `npm start`.
 */
export const temporal = (): Promise<TestWorkflowEnvironment> => (environment ??= connectOrStart());

/** The workflow code, bundled once per run. */
export const workflowBundle = (): Promise<WorkflowBundleWithSourceMap> => (bundle ??= bundleWorkflows());

/** The same with spans, as a worker that traces needs it. */
export const tracedWorkflowBundle = (): Promise<WorkflowBundleWithSourceMap> =>
  (tracedBundle ??= bundleWorkflows({ workflowInterceptorModules: [pathOf('workflows/trace/interceptors.ts')] }));

/** The same with failures in payloads, as a worker that encrypts needs it. */
export const encryptedWorkflowBundle = (): Promise<WorkflowBundleWithSourceMap> =>
  (encryptedBundle ??= bundleWorkflows({ failureConverterPath: pathOf('encryption/failure-converter.ts') }));

const pathOf = (file: string): string => fileURLToPath(new URL(`../../src/${file}`, import.meta.url));

const bundleWorkflows = (options: Partial<BundleOptions> = {}): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({ workflowsPath: pathOf('workflows/index.ts'), logger: new DefaultLogger('WARN'), ...options });

let runtimeInstalled = false;

/** The SDK's own part of this process, quiet; MUST come before the first worker. */
export function installTestRuntime(): void {
  if (!runtimeInstalled) Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  runtimeInstalled = true;
}

/** Ends the server, if one was started. */
export async function stopTemporal(): Promise<void> {
  await (await environment)?.teardown();
}

async function connectOrStart(): Promise<TestWorkflowEnvironment> {
  installTestRuntime();
  const address = process.env.TEST_TEMPORAL_ADDRESS;
  return address === undefined ? startServer() : TestWorkflowEnvironment.createFromExistingServer({ address });
}

async function startServer(): Promise<TestWorkflowEnvironment> {
  const path = await findTemporalCli((line) => process.stderr.write(`${line}\n`));
  const server = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: SERVER_FLAGS,
      log: { format: 'json', level: 'error' },
    },
  });
  await registerSearchAttributes(server.client, pino({ level: 'warn' }));
  return server;
}
