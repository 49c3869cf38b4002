import { setTimeout as rest } from 'node:timers/promises';
import proto from '@temporalio/proto';
import pg from 'pg';
import { AWAY_AFTER_MS } from '../../src/api/service/probes.js';
import type { Supervised, World } from '../../test/faults/support/world.js';
import { eventually } from '../../test/support/eventually.js';
import type { Timeline } from './timeline.js';

/** How long Temporal stays away. */
const TEMPORAL_AWAY_MS = 3_000;
/** Of a program that did not come back, the end, in characters. */
const OUTPUT_TOLD = 2_000;
const RECOVERY = { timeoutMs: 60_000, everyMs: 200 };

export interface DisturbOptions {
  world: World;
  timeline: Timeline;
  /** From one disturbance to the next. */
  everyMs: number;
  runMs: number;
  say: (line: object) => void;
}

/** In turn a fault and a roll-out. In the second half the first API and the first worker are left alone, to see their memory. */
export async function disturb({
  world,
  timeline,
  everyMs,
  runMs,
  say,
}: DisturbOptions): Promise<{ uncleanStops: number }> {
  const began = Date.now();
  const found = { uncleanStops: 0 };
  let faults = 0;
  for (let n = 1; n * everyMs < runMs - everyMs / 2; n += 1) {
    await rest(Math.max(0, began + n * everyMs - Date.now()));
    const touched = n * everyMs < runMs / 2 ? [0, 1] : [1];
    const isFault = n % 2 === 1;
    const fault = at(FAULTS, faults % FAULTS.length);
    const target = at(touched, Math.floor(faults / FAULTS.length + faults) % touched.length);
    if (isFault) faults += 1;
    const startedAt = Date.now();
    await timeline.during(isFault ? 'fault' : 'rolling', async () => {
      if (isFault) {
        await fault.happen(world, target);
        // Until then /readyz of a part that is away says nothing yet.
        await rest(AWAY_AFTER_MS);
      } else for (const one of touched) found.uncleanStops += await roll(world, one);
      await untilWell(world);
    });
    const what = isFault ? fault.name : `rolling restart of ${touched.map((one) => one + 1).join(' and ')}`;
    say({ disturbance: what, at_s: seconds(startedAt - began), took_s: seconds(Date.now() - startedAt) });
  }
  return found;
}

function at<T>(list: readonly T[], n: number): T {
  const item = list[n];
  if (item === undefined) throw new RangeError(`There is no number ${n}`);
  return item;
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

const FAULTS: { name: string; happen: (world: World, target: number) => Promise<void> }[] = [
  { name: 'kill -9 of a worker', happen: (world, target) => at(world.workers, target).kill() },
  { name: 'kill -9 of an API', happen: (world, target) => at(world.apis, target).program.kill() },
  {
    name: 'all connections to the database terminated',
    happen: ({ databaseUrl }) => terminateConnections(databaseUrl),
  },
  {
    name: 'kill -9 of Temporal',
    happen: async (world) => {
      await world.temporal.kill();
      await rest(TEMPORAL_AWAY_MS);
      await world.startTemporal();
    },
  },
];

/** One API, then one worker; how many of them did not end with 0. */
async function roll(world: World, n: number): Promise<number> {
  const codes: (number | null)[] = [await at(world.apis, n).program.restart()];
  await untilWell(world);
  codes.push(await at(world.workers, n).restart());
  await untilWell(world);
  return codes.filter((code) => code !== 0).length;
}

/** Every API is ready, and every worker asks for work. */
async function untilWell(world: World): Promise<void> {
  await eventually(async () => {
    for (const { url } of world.apis) {
      const { status } = await fetch(`${url}/readyz`, { headers: { Connection: 'close' } });
      if (status !== 200) throw new Error(`${url}/readyz answered ${status}`);
    }
    for (const worker of world.workers) await isPolling(world, worker);
  }, RECOVERY);
}

async function isPolling({ client, taskQueue }: World, worker: Supervised): Promise<void> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const pid = worker.pid();
  if (!pollers.some(({ identity }) => identity?.startsWith(`${pid}@`))) {
    const seen = pollers.map(({ identity }) => identity).join(', ');
    throw new Error(`worker ${pid} asks for no work, only ${seen} do:\n${worker.output().slice(-OUTPUT_TOLD)}`);
  }
}

async function terminateConnections(databaseUrl: string): Promise<void> {
  const database = new pg.Client(databaseUrl);
  await database.connect();
  await database.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await database.end();
}
