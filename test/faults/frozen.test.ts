import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { readActivityPollers } from '../../src/generations/pollers.js';
import { eventually } from '../support/eventually.js';
import { ownPort } from '../support/place.js';
import { trial } from './support/trial.js';
import { TEST_WORKER, World } from './support/world.js';

describe('A worker that stands still, as its machine does', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start({ workers: [{}, { METRICS_PORT: await ownPort() }] });
  });
  after(() => world.stop());

  it('while it stores an end, loses nothing, and what it says when it goes on counts for nothing', async () => {
    const worker = world.workers[0]!;
    await worker.become(TEST_WORKER, { NODE_OPTIONS: '--import tsx', STOP_STEP: 'endGeneration', STOP_WHEN: 'within' });
    const pid = worker.pid();
    await eventually(
      async () => {
        const polling = await readActivityPollers(world.client, world.taskQueue);
        assert.ok(
          polling.some((identity) => identity.startsWith(`${pid}@`)),
          polling.join(', '),
        );
      },
      { timeoutMs: 60_000 },
    );
    const standsStill = () =>
      eventually(
        async () => {
          assert.match(await readFile(`/proc/${pid}/stat`, 'utf8'), /\) T /);
        },
        { timeoutMs: 60_000 },
      );
    const goOn = async () => {
      process.kill(pid, 'SIGCONT');
      await eventually(
        () => {
          assert.match(worker.output(), /Activity not found on completion/);
        },
        { timeoutMs: 60_000 },
      );
    };
    try {
      await trial(world, 'worker: stands still in finalize, before commit', standsStill, { at: 50, afterwards: goOn });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
