import { trial } from './support/trial.js';
import { World } from './support/world.js';

describe('A Temporal server that is killed', function () {
  this.timeout(240_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  for (const seconds of [5, 60]) {
    it(`and comes back after ${seconds} s loses nothing`, async () => {
      await trial(world, `Temporal: kill -9 for ${seconds} s`, () => world.killTemporalFor(seconds), { at: 50 });
    });
  }
});
