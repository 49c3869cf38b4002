import { hostname } from 'node:os';
import { llmTaskQueueOf } from './contract/names.js';
import { readActivityPollers, readPollers } from './generations/pollers.js';
import { runMain } from './run-main.js';
import { connectClient } from './temporal-connection.js';

/**
 * `node dist/worker-health.js`, in a worker's container: exits with 0 where Temporal saw a worker of this host poll within
 * the last 75 s, for workflows and for calls of the model, else with 1.
 */
await runMain(async ({ config, log, shutdown }) => {
  const { target, taskQueue } = config.temporal;
  const client = connectClient(target);
  shutdown.add('temporal', () => client.connection.close());
  const pollers = await Promise.all([
    readPollers(client, taskQueue),
    readActivityPollers(client, llmTaskQueueOf(taskQueue)),
  ]);
  // A worker names itself `pid@host#…`.
  const polls = pollers.every((identities) => identities.some((identity) => identity.includes(`@${hostname()}#`)));
  if (!polls) log.error({ taskQueue, host: hostname() }, 'no worker of this host polls');
  await shutdown.run(polls ? 'the worker polls' : 'no worker polls', polls ? 0 : 1);
});
