import { hostname } from 'node:os';
import { readPollers } from './generations/pollers.js';
import { runMain } from './run-main.js';
import { connectClient } from './temporal-connection.js';

/**
 * `node dist/worker-health.js`, in a worker's container: exits with 0 where Temporal saw a worker of this host poll within
 * the last 75 s, else with 1.
 */
await runMain(async ({ config, log, shutdown }) => {
  const { target, taskQueue } = config.temporal;
  const client = connectClient(target);
  shutdown.add('temporal', () => client.connection.close());
  const polls = (await readPollers(client, taskQueue)).some((identity) => identity.endsWith(`@${hostname()}`));
  if (!polls) log.error({ taskQueue, host: hostname() }, 'no worker of this host polls');
  await shutdown.run(polls ? 'the worker polls' : 'no worker polls', polls ? 0 : 1);
});
