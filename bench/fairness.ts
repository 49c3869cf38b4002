import { setTimeout as rest } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { GENERATE_ASYNC_PATH, GENERATE_PATH } from '../src/contract/names.js';
import { SERVER_FLAGS, startTemporalServer } from '../src/dev/temporal-server.js';
import { findTemporalCli } from '../src/dev/temporal-cli.js';
import { createExamineTemporal } from '../src/generations/examine-temporal.js';
import { freePort } from '../src/free-port.js';
import { ApiClient } from '../test/support/api-client.js';
import { says, startTestLlm } from '../test/support/llm-server.js';
import { startService } from './service.js';
import { untilAccepted } from './until-accepted.js';

/**
 * How long one owner's generation takes while another owner's 1,000 wait for the model: with Temporal's fairness, and without.
 * Prints JSON lines; times are from the request of the blocking endpoint to its answer, the model answers at once.
 */
const MANY = 1_000;
/** Two cores bear it: an overloaded service would refuse some. */
const STARTS_PER_SECOND = 15;
/** 470 wait when all are started: the last of them for a minute; from 80 s on it would be a fallback. */
const CALLS_PER_SECOND = 8;
const ALONE = 50;
const OTHERS = 5;
/** Slower than the limit, which is not what is measured here. */
const BETWEEN_MS = 2_000 / CALLS_PER_SECOND;

const LIMITED = { LLM_CALLS_PER_SECOND: String(CALLS_PER_SECOND) };

/** `waiting`: calls of the model that did, about, at that time. */
const report = (metric: string, values: number[], waiting = 0): void => {
  const sorted = values.sort((a, b) => a - b).map(Math.round);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
  console.log(JSON.stringify({ metric, unit: 'ms', runs: sorted.length, p50: at(0.5), p99: at(0.99), waiting }));
};

const llm = await startTestLlm(() => says('You are the assistant of a shoe store.'));
try {
  await measure({ fairness: true, settings: {} }, async (api) => {
    report('alone, no limit', await alone(api));
  });
  await measure({ fairness: true, settings: LIMITED }, async (api, waiting) => {
    report('alone, limited', await alone(api));
    await startMany(api);
    report('others, with fairness', await others(api, OTHERS), await waiting());
  });
  await measure({ fairness: false, settings: LIMITED }, async (api, waiting) => {
    await startMany(api);
    const before = await waiting();
    report('another one, without fairness', await others(api, 1), before);
  });
} finally {
  await llm.stop();
}

/** A service of its own, on a Temporal server of its own. */
async function measure(
  { fairness, settings }: { fairness: boolean; settings: Record<string, string> },
  run: (api: ApiClient, waiting: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const temporal = await startTemporalServer({
    cliPath: await findTemporalCli((line) => process.stderr.write(`${line}\n`)),
    port: await freePort(),
    uiPort: null,
    flags: SERVER_FLAGS.map((flag) => flag.replace('enableFairness=true', `enableFairness=${fairness}`)),
    log: pino({ level: 'warn' }),
  });
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const service = await startService(llm.config.baseUrl, { TEMPORAL_ADDRESS: temporal.address, ...settings });
    try {
      const api = new ApiClient(() => service.url);
      const warm = await api.newOwner({ tokens: 10_000_000 });
      for (let n = 0; n < 30; n += 1) await timed(api, warm);
      const client = new Client({ connection });
      const examine = createExamineTemporal({ client, taskQueue: 'prompt-generation' });
      await run(api, async () => (await examine()).llmCalls.waiting);
    } finally {
      await service.stop();
    }
  } finally {
    await connection.close();
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

/** Returns once all are accepted. */
async function startMany(api: ApiClient): Promise<void> {
  const owner = await api.newOwner({ tokens: 100_000_000 });
  const began = performance.now();
  const starts: Promise<unknown>[] = [];
  for (let n = 0; n < MANY; n += 1) {
    await rest(Math.max(0, began + (n * 1_000) / STARTS_PER_SECOND - performance.now()));
    starts.push(startOne(api, owner));
  }
  await Promise.all(starts);
  report(`${MANY} starts of one owner, all together`, [performance.now() - began]);
}

const startOne = (api: ApiClient, owner: string) =>
  untilAccepted(async () => {
    const body = { manual_prompt: 'We sell shoes.' };
    const answer = await api.call('POST', GENERATE_ASYNC_PATH, { as: owner, body });
    const retryAfter = answer.headers.get('retry-after') ?? undefined;
    return { status: answer.status, retryAfter, body: (await answer.json()) as Record<string, unknown> };
  });

/** One after the other, each of an owner of its own. */
async function others(api: ApiClient, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) times.push(await timed(api, await api.newOwner({ tokens: 100_000 })));
  return times;
}
