import { trial } from './support/trial.js';
import { TEST_WORKER, World } from './support/world.js';

describe('A worker that is killed', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
  });
  after(() => world.stop());

  it('in the call of the model loses nothing', async () => {
    const kill = () => world.workers[0]!.kill();
    await trial(world, 'worker: kill -9 in generateWithAI', kill, { at: 50 });
  });

  for (const [step, method] of [
    ['initialize', 'beginGeneration'],
    ['checkTokens', 'hold'],
    ['finalize', 'endGeneration'],
  ] as const) {
    for (const when of ['before', 'after'] as const) {
      it(`in ${step}, ${when} the database's commit, loses nothing`, async () => {
        const [worker] = world.workers;
        // The one that is to die does all the work; once it is dead the supervisor brings back the healthy one.
        const { ended } = await worker!.become(TEST_WORKER, {
          NODE_OPTIONS: '--import tsx',
          STOP_STEP: method,
          STOP_WHEN: when,
        });
        await trial(world, `worker: kill -9 in ${step}, ${when} commit`, async () => {
          await ended;
        });
      });
    }
  }
});
