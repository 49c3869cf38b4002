import { setTimeout as rest } from 'node:timers/promises';
import { startTcpProxy } from './support/tcp-proxy.js';
import { untilAt, trial } from './support/trial.js';
import { World } from './support/world.js';

describe('A network that is cut', function () {
  this.timeout(240_000);

  it('between the worker and Temporal, and mended, loses nothing', async () => {
    const world = await World.start({ workers: [] });
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: world.temporalPort });
    try {
      world.addWorker({ TEMPORAL_ADDRESS: proxy.address });
      await trial(world, 'network: worker cut off from Temporal for 20 s', async (tasks) => {
        await untilAt(tasks, 50, 25);
        proxy.cut();
        await rest(20_000);
        proxy.mend();
      });
    } finally {
      await world.stop();
      await proxy.stop();
    }
  });
});
