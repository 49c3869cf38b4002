import autocannon from 'autocannon';
import { startPlainQuery } from './plain-query.js';
import { report } from './report.js';
import type { Subject } from './subject.js';

const CONNECTIONS = 32;
const SECONDS = 10;
const TASKS = 200;
const TARGETS = { perSecond: 10_000, p99: 10, timesPlain: 20 };

/** Polls a second of tasks that run and that have ended, and by a plain query each, as fast as 32 connections can. */
export async function measurePolls(subject: Subject): Promise<void> {
  const { service, temporal } = subject;
  const running = await subject.hold(TASKS);
  const plain = await startPlainQuery(temporal.address);
  const byQuery = await load(
    plain.url,
    running.map(({ url }) => ({ path: `/${taskOf(url)}`, headers: {} })),
  );
  await plain.stop();
  const polls = running.map(({ url, bearer }) => ({ path: url, headers: bearer }));
  const ofRunning = await load(service.url, polls);
  subject.letGo();
  for (const task of running) await subject.untilEnded(task);
  const ofEnded = await load(service.url, polls);

  show('plain_query', byQuery);
  show('polls_of_running', ofRunning, TARGETS);
  show('polls_of_ended', ofEnded, TARGETS);
  report('polls_of_running_against_plain_query', ofRunning.perSecond / byQuery.perSecond, 'times', {
    atLeast: TARGETS.timesPlain,
  });
}

interface Load {
  perSecond: number;
  p50: number;
  p99: number;
}

async function load(url: string, requests: { path: string; headers: Record<string, string> }[]): Promise<Load> {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS, requests });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} polls of ${url} were refused, ${result.errors} not answered`);
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

function show(name: string, { perSecond, p50, p99 }: Load, targets?: typeof TARGETS): void {
  report(name, perSecond, 'a second', targets && { atLeast: targets.perSecond });
  report(`${name}_p50`, p50, 'ms');
  report(`${name}_p99`, p99, 'ms', targets && { atMost: targets.p99 });
}

const taskOf = (statusUrl: string): string => statusUrl.split('/').at(-2) ?? '';
