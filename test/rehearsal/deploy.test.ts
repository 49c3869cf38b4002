import assert from 'node:assert/strict';
import type { Judged, Task } from '../faults/support/judge.js';
import { startFaultyLlm, type FaultyLlm } from '../faults/support/faulty-llm.js';
import { trial } from '../faults/support/trial.js';
import { TEST_WORKER } from '../faults/support/world.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { ownPort } from '../support/place.js';
import { runProgram, untilReady, type Program } from '../support/program.js';
import { startTopology, type Topology } from './support/topology.js';

const DEPLOYMENT = 'prompt-generation';
const [TODAY, NEXT] = ['2026-11-25.1', '2026-11-26.1'];
/** A version is looked at again every five minutes, and for three at least after it was replaced: here sooner. */
const DRAINED_SOONER = `
matching.wv.VersionDrainageStatusVisibilityGracePeriod:
  - value: 5s
matching.wv.VersionDrainageStatusRefreshInterval:
  - value: 5s
`;

describe("A deploy of workflow code that cannot go on with what today's began", function () {
  this.timeout(300_000);
  let topology: Topology;
  let llm: FaultyLlm;
  let world: Judged;
  let apis: { url: string; program: Program }[];
  const workers: Record<string, Program[]> = {};

  before(async function () {
    this.timeout(900_000);
    llm = await startFaultyLlm();
    const variables = { VERSION: TODAY, TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, OPENAI_BASE_URL: llm.baseUrl };
    topology = await startTopology({ variables, dynamicConfig: DRAINED_SOONER });
    startWorkers(TODAY);
    await makeCurrent(TODAY);
    apis = await Promise.all([startApi(), startApi()]);
    let turn = 0;
    const nextUrl = () => apis[turn++ % apis.length]!.url;
    const { databaseUrl } = topology;
    world = { api: new ApiClient(nextUrl), apis, nextUrl, databaseUrl, llm };
  });
  after(async () => {
    const programs = [...Object.values(workers).flat(), ...apis.map(({ program }) => program)];
    await Promise.all(programs.map((program) => program.stop()));
    await topology.stop();
    await llm.stop();
  });

  const startApi = async () => {
    const PORT = await ownPort();
    const program = topology.run('api', { PORT, METRICS_PORT: await ownPort() });
    const url = `http://127.0.0.1:${PORT}`;
    await untilReady(url, program);
    return { url, program };
  };
  /** The next build's are today's, but for their workflow code. */
  const startWorkers = (build: string) => {
    const version = { TEMPORAL_WORKER_BUILD_ID: build };
    const changed = { NODE_OPTIONS: '--import tsx', WORKFLOWS: 'test/faults/support/changed-workflows.ts' };
    const start = () =>
      build === TODAY
        ? topology.run('worker', version)
        : runProgram(TEST_WORKER, { ...topology.settingsOf('worker'), ...version, ...changed });
    workers[build] = [...(workers[build] ?? []), start(), start()];
  };
  const version = (build: string) => ['--deployment-name', DEPLOYMENT, '--build-id', build];
  /** Possible only once a worker of that build has polled. */
  const makeCurrent = (build: string) =>
    eventually(() => topology.cli('worker', 'deployment', 'set-current-version', ...version(build), '--yes'), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
  const untilDrained = (build: string) =>
    eventually(
      async () => {
        const said = await topology.cli('worker', 'deployment', 'describe-version', ...version(build), '-o', 'json');
        const { drainageInfo } = JSON.parse(said) as { drainageInfo?: { drainageStatus: string } };
        assert.equal(drainageInfo?.drainageStatus, 'drained', said);
      },
      { timeoutMs: 120_000, everyMs: 1_000 },
    );
  const buildOf = async ({ id }: Task) => (await topology.describe(id))?.versioningInfo?.deploymentVersion?.buildId;
  const assertAllOn = async (build: string, tasks: Task[]) => {
    for (const { last } of tasks) assert.equal(last?.generated_by_ai, true);
    assert.deepEqual(new Set(await Promise.all(tasks.map(buildOf))), new Set([build]));
  };

  it('loses nothing: each generation ends on the build it began on, and the old workers go once they are drained', async () => {
    let after: Promise<Task[]> | undefined;
    const deploy = async () => {
      startWorkers(NEXT);
      await makeCurrent(NEXT);
      after = trial(world, 'deploy: begun on the new build', () => Promise.resolve());
    };
    const before = await trial(world, 'deploy: begun on the old build', deploy, { at: 50 });
    await assertAllOn(TODAY, before);
    await assertAllOn(NEXT, await after!);
    await untilDrained(TODAY);
    assert.deepEqual(await Promise.all(workers[TODAY]!.map((worker) => worker.stop())), [0, 0]);
    await assertAllOn(NEXT, await trial(world, 'deploy: the old workers are gone', () => Promise.resolve()));
  });

  it('is taken back in the same way, with generations under way on it', async () => {
    startWorkers(TODAY);
    let after: Promise<Task[]> | undefined;
    const takeBack = async () => {
      await makeCurrent(TODAY);
      after = trial(world, 'rollback: begun on the old build', () => Promise.resolve());
    };
    const before = await trial(world, 'rollback: begun on the new build', takeBack, { at: 50 });
    await assertAllOn(NEXT, before);
    await assertAllOn(TODAY, await after!);
    await untilDrained(NEXT);
  });
});
