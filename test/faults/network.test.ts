import { setTimeout as rest } from 'node:timers/promises';
import { trial } from './support/trial.js';
import { World } from './support/world.js';

describe('A network that is cut', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start({ cuttable: true });
  });
  after(() => world.stop());

  it('between the worker and Temporal, and mended, loses nothing', async () => {
    const cut = async () => {
      world.proxy!.cut();
      await rest(20_000);
      world.proxy!.mend();
    };
    await trial(world, 'network: worker cut off from Temporal for 20 s', cut, { at: 50 });
  });
});
