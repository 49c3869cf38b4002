import { setTimeout as rest } from 'node:timers/promises';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { untilAt, trial } from './support/trial.js';
import { World } from './support/world.js';

describe('A Temporal server that stays away', function () {
  this.timeout(300_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  it('until the tasks had to end makes none of them complete after it was told as timed out', async () => {
    let back: Promise<void> | undefined;
    await trial(world, 'Temporal: kill -9 until all is over', async (tasks) => {
      await untilAt(tasks, 50, 25);
      await world.temporal.kill();
      // It comes back while clients still look at what they were told.
      back = rest(WORKFLOW_TIMEOUT_MS + 3_000).then(() => world.startTemporal());
    });
    await back;
  });
});
