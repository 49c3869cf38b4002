import { setTimeout as rest } from 'node:timers/promises';
import { pino } from 'pino';
import { GENERATE_PATH } from '../src/contract/names.js';
import { SERVER_FLAGS, startTemporalServer } from '../src/dev/temporal-server.js';
import { findTemporalCli } from '../src/dev/temporal-cli.js';
import { freePort } from '../src/free-port.js';
import { ApiClient } from '../test/support/api-client.js';
import { says, startTestLlm } from '../test/support/llm-server.js';
import { startService } from './service.js';

/**
 * How long one owner's generation takes while another owner's 1,000 wait for the model: with Temporal's fairness, and without.
 * Prints JSON lines; times are from the request of the blocking endpoint to its answer, the model answers at once.
 */
const MANY = 1_000;
/** The backlog is worked off within 50 s: what waits for more than 80 s becomes a fallback. */
const CALLS_PER_SECOND = 20;
/** Of the starts of the one who has many. */
const CONNECTIONS = 16;
const ALONE = 50;
const OTHERS = 5;
/** Slower than the limit, which is not what is measured here. */
const BETWEEN_MS = 2_000 / CALLS_PER_SECOND;

const LIMITED = { LLM_CALLS_PER_SECOND: String(CALLS_PER_SECOND) };

const report = (metric: string, values: number[]): void => {
  const sorted = values.sort((a, b) => a - b).map(Math.round);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
  console.log(JSON.stringify({ metric, unit: 'ms', runs: sorted.length, p50: at(0.5), p99: at(0.99) }));
};

const llm = await startTestLlm(() => says('You are the assistant of a shoe store.'));
try {
  await measure({ fairness: true, settings: {} }, async (api) => {
    report('alone, no limit', await alone(api));
  });
  await measure({ fairness: true, settings: LIMITED }, async (api) => {
    report('alone, limited', await alone(api));
    const allWaitForTheModel = await startMany(api);
    report('others at the same time, with fairness', await others(api, OTHERS));
    await allWaitForTheModel();
    report(`others while ${MANY} of one owner wait for the model, with fairness`, await others(api, OTHERS));
  });
  await measure({ fairness: false, settings: LIMITED }, async (api) => {
    await startMany(api);
    report('another one at the same time, without fairness', await others(api, 1));
  });
} finally {
  await llm.stop();
}

/** A service of its own, on a Temporal server of its own. */
async function measure(
  { fairness, settings }: { fairness: boolean; settings: Record<string, string> },
  run: (api: ApiClient) => Promise<void>,
): Promise<void> {
  const temporal = await startTemporalServer({
    cliPath: await findTemporalCli((line) => process.stderr.write(`${line}\n`)),
    port: await freePort(),
    uiPort: null,
    flags: SERVER_FLAGS.map((flag) => flag.replace('enableFairness=true', `enableFairness=${fairness}`)),
    log: pino({ level: 'warn' }),
  });
  try {
    const service = await startService(llm.config.baseUrl, { TEMPORAL_ADDRESS: temporal.address, ...settings });
    try {
      const api = new ApiClient(() => service.url);
      const warm = await api.newOwner({ tokens: 10_000_000 });
      for (let n = 0; n < 30; n += 1) await timed(api, warm);
      await run(api);
    } finally {
      await service.stop();
    }
  } finally {
    await temporal.stop();
  }
}

async function timed(api: ApiClient, owner: string): Promise<number> {
  await rest(BETWEEN_MS);
  const began = performance.now();
  const body = { manual_prompt: 'We sell shoes.' };
  const ended = await api.json<{ generated_by_ai: boolean }>('POST', GENERATE_PATH, { as: owner, body });
  if (!ended.generated_by_ai) throw new Error('It waited so long that it became a fallback.');
  return performance.now() - began;
}

async function alone(api: ApiClient): Promise<number[]> {
  const owner = await api.newOwner({ tokens: 10_000_000 });
  const times: number[] = [];
  for (let n = 0; n < ALONE; n += 1) times.push(await timed(api, owner));
  return times;
}

/** Returns once all are accepted, with what to wait for until they have come as far as to the model. */
async function startMany(api: ApiClient): Promise<() => Promise<void>> {
  const owner = await api.newOwner({ tokens: 100_000_000 });
  let left = MANY;
  const began = performance.now();
  const lasts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      let last = await api.start(owner);
      while (left-- > CONNECTIONS) last = await api.start(owner);
      return last;
    }),
  );
  report(`${MANY} starts of one owner, all together`, [performance.now() - began]);
  return async () => {
    for (const task of lasts) while ((await api.status(owner, task)).progress < 50) await rest(100);
  };
}

/** One after the other, each of an owner of its own. */
async function others(api: ApiClient, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) times.push(await timed(api, await api.newOwner({ tokens: 100_000 })));
  return times;
}
