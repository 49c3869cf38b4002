import { trial } from './support/trial.js';
import { World } from './support/world.js';

describe('An API that is killed', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  it('loses nothing, whoever started there', async () => {
    const kill = () => world.apis[0]!.program.kill();
    await trial(world, 'API: kill -9, one of two', kill, { at: 50, afterwards: () => world.untilReady() });
  });

  it('loses nothing where all of them die, in the middle of the starts too', async () => {
    const kill = async () => {
      await Promise.all(world.apis.map(({ program }) => program.kill()));
    };
    await trial(world, 'API: kill -9, all, while starting', kill, { startsMayFail: true });
  });
});
