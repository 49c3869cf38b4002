import { requireSettings } from './config.js';
import { openEncryption } from './encryption/open-encryption.js';
import { createPostgresFeed } from './feed/postgres-feed.js';
import { createLedger } from './ledger/ledger.js';
import { migrate } from './ledger/migrate.js';
import { openPostgres } from './ledger/postgres.js';
import { runMain } from './run-main.js';
import { installRuntime, startWorker } from './start-worker.js';
import { connectWorker } from './temporal-connection.js';

/** The worker by itself: `node dist/worker.js`, as many as wanted beside as many API processes. */
await runMain(async ({ config, log, shutdown }) => {
  const { databaseUrl, llm } = requireSettings(config, ['databaseUrl', 'llm', 'encryption']);
  const { target, taskQueue } = config.temporal;
  const database = openPostgres(databaseUrl, log);
  shutdown.add('database', () => database.close());
  await migrate(database);
  const encryption = await openEncryption(database, config.encryption, log);
  shutdown.add('encryption', () => encryption.close());
  installRuntime(log);
  const connection = await connectWorker(target);
  shutdown.add('temporal', () => connection.close());
  const ledger = createLedger(database);
  const { namespace } = target;
  const feed = createPostgresFeed(database, log);
  const worker = await startWorker({ config, connection, namespace, ledger, llm, log, encryption, feed });
  shutdown.addService('worker', worker);
  log.info({ taskQueue, namespace: target.namespace, model: llm.model }, 'the worker works');
});
