import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { installRuntime, startWorker } from '../../../src/start-worker.js';
import { requireSettings } from '../../../src/config.js';
import { openEncryption } from '../../../src/encryption/open-encryption.js';
import { createPostgresFeed } from '../../../src/feed/postgres-feed.js';
import type { Database } from '../../../src/ledger/database.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { openPostgres } from '../../../src/ledger/postgres.js';
import type { Ledger } from '../../../src/ledger/types.js';
import { createWorkerMetrics } from '../../../src/metrics/worker-metrics.js';
import { runMain } from '../../../src/run-main.js';
import { connectWorker } from '../../../src/temporal-connection.js';

/** The ledger's method of each step that has one. */
type Step = 'beginGeneration' | 'hold' | 'endGeneration';

/**
 * A worker that can do what a good one must not. With STOP_STEP it dies, as by `kill -9`, at its tenth call of that method of
 * the ledger: STOP_WHEN `before` the transaction, or `after` its commit and before the activity can answer. `within`: it
 * stands still in the first one, as by `kill -STOP`. With WORKFLOWS it runs the workflows of that file instead of the built ones.
 */
await runMain(async ({ config, log, shutdown }) => {
  const { databaseUrl, llm, encryption: settings } = requireSettings(config, ['databaseUrl', 'llm', 'encryption']);
  const database = openPostgres(databaseUrl, log);
  const encryption = await openEncryption(database, settings, log);
  installRuntime(log);
  const connection = await connectWorker(config.temporal.target);
  const { STOP_STEP, STOP_WHEN } = process.env;
  const ledger = STOP_STEP ? stopping(database, STOP_STEP as Step, STOP_WHEN ?? '') : createLedger(database);
  const { namespace } = config.temporal.target;
  const { WORKFLOWS } = process.env;
  const workflowBundle = WORKFLOWS
    ? await bundleWorkflowCode({
        workflowsPath: resolve(WORKFLOWS),
        failureConverterPath: resolve('dist/encryption/failure-converter.js'),
        logger: new DefaultLogger('WARN'),
      })
    : { codePath: 'dist/workflow-bundle-encrypted.js' };
  const feed = createPostgresFeed(database, log);
  const metrics = createWorkerMetrics();
  const deps = { config, connection, namespace, ledger, llm, log, encryption, feed, workflowBundle, metrics };
  const worker = await startWorker(deps);
  shutdown.addService('worker', worker);
});

const CALLS = 10;

function stopping(database: Database, step: Step, when: string): Ledger {
  let calls = 0;
  const stop = (signal: 'SIGKILL' | 'SIGSTOP') => process.kill(process.pid, signal);
  let standsStill = when === 'within';
  const ledger = createLedger({
    ...database,
    transaction: (work, limits) =>
      database.transaction(async (tx) => {
        const result = await work(tx);
        if (standsStill && calls > 0) {
          standsStill = false;
          stop('SIGSTOP');
        }
        return result;
      }, limits),
  });
  const call = (argument: unknown) => ledger[step](argument as never);
  return {
    ...ledger,
    [step]: async (argument: unknown): Promise<unknown> => {
      calls += 1;
      const isTheOne = calls === CALLS;
      if (isTheOne && when === 'before') stop('SIGKILL');
      const result = await call(argument);
      if (isTheOne && when === 'after') stop('SIGKILL');
      return result;
    },
  };
}
