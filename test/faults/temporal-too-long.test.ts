import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { trial } from './support/trial.js';
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
    const kill = () => world.temporal.kill();
    const back = async () => {
      await world.startTemporal();
      await world.untilReady();
      // Every run is over, and whatever the workers did of it late is done.
      await eventually(
        async () => {
          const running = await world.cli('workflow', 'count', '--query', 'ExecutionStatus = "Running"');
          assert.match(running, /^Total: 0$/m);
        },
        { timeoutMs: 60_000, everyMs: 500 },
      );
    };
    const tasks = await trial(world, 'Temporal: kill -9 until all is over', kill, { at: 50, afterwards: back });
    // Some had their prompt before.
    const ends = tasks.map(({ last }) => last?.error_code ?? last?.status);
    const timedOut = ends.filter((end) => end === 'timed_out').length;
    assert.ok(timedOut >= 25, `only ${timedOut} were over`);
    assert.equal(timedOut + ends.filter((end) => end === 'completed').length, tasks.length);
  });
});
