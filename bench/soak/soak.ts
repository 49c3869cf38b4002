import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { judge, type Task } from '../../test/faults/support/judge.js';
import { World } from '../../test/faults/support/world.js';
import { ownPort } from '../../test/support/place.js';
import { startBalancer } from './balancer.js';
import { disturb } from './disturb.js';
import { connectTo } from './http.js';
import { Load, STARTS_PER_SECOND } from './load.js';
import { Memory } from './memory.js';
import { Tally } from './tally.js';
import { Timeline } from './timeline.js';

/**
 * `npm run soak -- --minutes 20 --every 60`: the whole service behind HAProxy under load, with a fault or a roll-out every so
 * many seconds. Exit code 1 where money is wrong, a task was lost, or a request failed outside faults.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, every: { type: 'string', default: '60' } },
});
const runMs = Number(values.minutes) * 60_000;
const everyMs = Number(values.every) * 1_000;
if (!(runMs > 0 && everyMs > 0)) throw new Error('--minutes and --every (seconds) are numbers above 0');

const OWNERS = 400;
const TOKENS = 100_000_000;
/** In ms: often enough to see the heap soon after a collection. */
const SAMPLE_EVERY_MS = 3_000;
const MB = 1024 * 1024;

const say = (line: object): void => {
  console.log(JSON.stringify(line));
};

const NO_LIMITS = { MAX_STARTS_PER_MINUTE: '1000000', MAX_RUNNING_TASKS: '1000000' };
const api = { ...NO_LIMITS, SHUTDOWN_DELAY_SECONDS: '8' };
const metricsPorts = { apis: [await ownPort(), await ownPort()], workers: [await ownPort(), await ownPort()] };
const world = await World.start({
  apis: metricsPorts.apis.map((port) => ({ ...api, METRICS_PORT: port })),
  workers: metricsPorts.workers.map((port) => ({ METRICS_PORT: port })),
});
try {
  const balancer = await startBalancer(
    world.folder,
    world.apis.map(({ url }) => new URL(url).host),
  );
  const http = connectTo(balancer.port);
  try {
    process.exitCode = (await soak(new Load(http, await openOwners(), new Tally(), new Timeline()))) ? 0 : 1;
  } finally {
    http.close();
    await balancer.stop();
  }
} finally {
  await world.stop();
}

/** Whether all that must hold did. */
async function soak(load: Load): Promise<boolean> {
  const { tally, timeline, owners, tasks } = load;
  const memory = new Memory(world, metricsPorts);
  const before = await sizes();
  const state = { over: false };
  const sampling = (async () => {
    while (!state.over) {
      await memory.sample();
      await rest(SAMPLE_EVERY_MS);
    }
  })();
  const stopSampling = rest(runMs).then(() => (state.over = true));
  const [, { uncleanStops }] = await Promise.all([
    load.run(runMs),
    disturb({ world, timeline, everyMs, runMs, say }),
    stopSampling,
    sampling,
  ]);

  const { lost, stuck, money } = await judge(world, owners, tasks);
  const grown = memory.judge(runMs);
  for (const line of tally.failures) say({ failed_outside_faults: line });
  for (const line of [...money, ...lost, ...stuck].slice(0, 20)) say({ wrong: line });
  say({ answers: tally.counts() });
  say({ latencies_ms: tally.latencies() });
  // Refused again and again until their client's time was over: announced, and nothing was started.
  say({ tasks: endsOf(tasks), starts_given_up: load.givenUp, starts_per_second: STARTS_PER_SECOND });
  for (const line of grown) say({ memory: line });
  say({ sizes_mb: { before, after: await sizes() } });
  const figures = {
    'failed requests outside faults': tally.failedOutsideFaults,
    'tasks that told something wrong': lost.length,
    'tasks that never ended, or too late': stuck.length,
    'accounts and charges that are wrong': money.length,
    'graceful stops that were none': uncleanStops,
  };
  console.table(tally.counts());
  console.table(tally.latencies());
  console.table(grown);
  console.table(figures);
  return Object.values(figures).every((count) => count === 0);
}

async function openOwners(): Promise<string[]> {
  const owners = Array.from({ length: OWNERS }, (_, n) => `soak-${n}`);
  for (const owner of owners) await world.api.open(owner, { tokens: TOKENS });
  return owners;
}

function endsOf(tasks: Task[]): Record<string, number> {
  const ends: Record<string, number> = { started: tasks.length };
  for (const { last, endedAt } of tasks) {
    const generated = last?.generated_by_ai === true ? 'completed by AI' : 'completed by fallback';
    const end = endedAt === undefined ? 'never ended' : (last?.error_code ?? generated);
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
}

async function sizes(): Promise<{ database: number; temporal: number }> {
  const database = new pg.Client(world.databaseUrl);
  await database.connect();
  const { rows } = await database.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
  await database.end();
  const { size } = await stat(join(world.folder, 'temporal.db'));
  return { database: Math.round(Number(rows[0]?.bytes) / MB), temporal: Math.round(size / MB) };
}
