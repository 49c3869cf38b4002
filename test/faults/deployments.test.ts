import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import type { Task } from './support/judge.js';
import { trial } from './support/trial.js';
import { TEST_WORKER, World } from './support/world.js';

const DEPLOYMENT = 'faults';

const build = (id: string) => ({ TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, TEMPORAL_WORKER_BUILD_ID: id });

describe('Two deployments of workers side by side', function () {
  this.timeout(180_000);
  let world: World;
  before(async function () {
    this.timeout(600_000);
    world = await World.start({ workers: [build('today')] });
    await makeCurrent('today');
  });
  after(() => world.stop());

  /** Possible only once a worker of that build has said that it is there. */
  const makeCurrent = (id: string): Promise<string> =>
    eventually(
      () =>
        world.cli(
          ...['worker', 'deployment', 'set-current-version', '--yes'],
          ...['--deployment-name', DEPLOYMENT, '--build-id', id],
        ),
      { timeoutMs: 60_000, everyMs: 500 },
    );
  const buildOf = async ({ id }: Task): Promise<unknown> =>
    (await world.describe(id))?.versioningInfo?.deploymentVersion?.buildId;

  it('lose nothing, though neither can go on with what the other began', async () => {
    let after: Promise<Task[]> | undefined;
    const change = async () => {
      const changed = { NODE_OPTIONS: '--import tsx', WORKFLOWS: 'test/faults/support/changed-workflows.ts' };
      world.addWorker({ ...build('changed'), ...changed }, TEST_WORKER);
      await makeCurrent('changed');
      const kill = async () => {
        await Promise.all(world.workers.map((worker) => worker.kill()));
      };
      after = trial(world, 'deployments: begun on the new build', kill, { at: 50 });
    };
    const before = await trial(world, 'deployments: begun on the old build', change, { at: 50 });
    const [old, changed] = [before, await after!];
    assert.deepEqual(new Set(await Promise.all(old.map(buildOf))), new Set(['today']));
    assert.deepEqual(new Set(await Promise.all(changed.map(buildOf))), new Set(['changed']));
    for (const { last } of [...old, ...changed]) assert.equal(last?.generated_by_ai, true);
  });
});
