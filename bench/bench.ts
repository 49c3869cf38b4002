import { setTimeout as rest } from 'node:timers/promises';
import { GENERATE_ASYNC_PATH, GENERATE_PATH } from '../src/contract/names.js';
import { says, startTestLlm } from '../test/support/llm-server.js';
import { tokenFor } from '../test/support/program.js';
import { startService } from './service.js';

/** The word in a prompt that makes the stub of the model wait this long. */
const SLOW_LLM_MS = 30_000;
const SLOW = 'slow';
const STARTS = 300;
const RUNS = 100;
const WAITING = 200;
const POLLS_PER_SECOND = 200;
const POLL_SECONDS = 15;

/** Prints one JSON line: a metric, its figure and what was asked of it. */
const report = (metric: string, value: number, unit: string, atMost: number): void => {
  console.log(
    JSON.stringify({ metric, value: Math.round(value * 10) / 10, unit, at_most: atMost, met: value <= atMost }),
  );
};

const percentile = (values: number[], percent: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
};

const llm = await startTestLlm(async (_n, { messages }) => {
  if (messages.some(({ content }) => content === SLOW)) await rest(SLOW_LLM_MS);
  return says('You are the assistant of a shoe store.');
});
const service = await startService(llm.config.baseUrl);
const bearer = { Authorization: `Bearer ${await tokenFor('bench')}` };
const admin = { Authorization: `Bearer ${await tokenFor('admin', 'admin')}` };

const call = async (path: string, init: RequestInit = {}): Promise<{ ms: number; body: Record<string, unknown> }> => {
  const began = performance.now();
  const response = await fetch(`${service.url}${path}`, init);
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
  return { ms: performance.now() - began, body };
};
const json = (body: object) => ({
  body: JSON.stringify(body),
  headers: { ...admin, 'Content-Type': 'application/json' },
});
const start = (manual_prompt: string, path = GENERATE_ASYNC_PATH) =>
  call(path, {
    ...json({ manual_prompt }),
    method: 'POST',
    headers: { ...bearer, 'Content-Type': 'application/json' },
  });
const poll = (statusUrl: unknown) => call(String(statusUrl), { headers: bearer });
const untilEnded = async (statusUrl: unknown, everyMs = 0): Promise<void> => {
  while ((await poll(statusUrl)).body.progress !== 100) if (everyMs > 0) await rest(everyMs);
};

try {
  await call('/api/v1/admin/accounts/bench/', { method: 'PUT', ...json({ subscription: { status: 'active' } }) });
  const grant = json({ tokens: 100_000_000, reason: 'benchmark' });
  await call('/api/v1/admin/accounts/bench/grants/', {
    ...grant,
    method: 'POST',
    headers: { ...grant.headers, 'Idempotency-Key': 'bench' },
  });

  // Warm up: the first runs compile the code and fill the caches.
  for (let n = 0; n < 30; n += 1) await untilEnded((await start('We sell shoes.')).body.status_url);

  const posts: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    const { ms, body } = await start('We sell shoes.');
    posts.push(ms);
    await untilEnded(body.status_url, 20);
  }
  report('post_p50', percentile(posts, 50), 'ms', 10);
  report('post_p99', percentile(posts, 99), 'ms', 50);

  // By the blocking endpoint: polls in between would be measured too.
  const ends: number[] = [];
  for (let n = 0; n < RUNS; n += 1) ends.push((await start('We sell shoes.', GENERATE_PATH)).ms);
  report('post_to_completed_p50', percentile(ends, 50), 'ms', 80);

  const waiting = await Promise.all(Array.from({ length: WAITING }, () => start(SLOW)));
  const urls = waiting.map(({ body }) => body.status_url);
  const inLlm = async () => (await Promise.all(urls.map(poll))).filter(({ body }) => body.progress === 50).length;
  while ((await inLlm()) < WAITING) await rest(100);

  const polls: Promise<{ ms: number; body: Record<string, unknown> }>[] = [];
  const began = performance.now();
  for (let n = 0; n < POLLS_PER_SECOND * POLL_SECONDS; n += 1) {
    const waitMs = began + (n * 1_000) / POLLS_PER_SECOND - performance.now();
    if (waitMs > 0) await rest(waitMs);
    polls.push(poll(urls[n % urls.length]));
  }
  const answers = await Promise.all(polls);
  const stale = answers.filter(({ body }) => body.stale !== undefined).length;
  const times = answers.map(({ ms }) => ms);
  report('poll_p50_with_200_waiting', percentile(times, 50), 'ms', 100);
  report('poll_p99_with_200_waiting', percentile(times, 99), 'ms', 100);
  report('stale_polls_with_200_waiting', stale, 'polls', 0);
  report('resident_memory_with_200_waiting', await service.residentMb(), 'MB', 400);

  await Promise.all(urls.map((url) => untilEnded(url, 1_000)));
} finally {
  await service.stop();
  await llm.stop();
}
