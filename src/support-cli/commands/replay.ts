import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ConfigError, readConfig } from '../../config.js';
import { isTaskId } from '../../contract/names.js';
import type { Decode, JsonPayload } from '../../replay/history-payloads.js';
import type { Replayed } from '../../replay/replay-history.js';
import type { Api } from '../api.js';
import { CliError } from '../cli-error.js';
import { command, Reason, REASON, type Context } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { harmless, table } from '../table.js';
import { taskPath } from '../tasks.js';

/** Built by `npm run build`, beside this file's folder. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));

/** The codec takes 4 MiB at a time. */
const DECODE_AT_ONCE = 50;

interface Source {
  name: string;
  taskId: string;
  history: unknown;
}

type Line = Replayed & { name: string };

/** `replay`: histories against the workflow code of this build; nothing of it asks the model or the ledger. */
export const replay = command({
  name: 'replay',
  positionals: ['[what]'],
  summary: 'Replay a file, a task or the newest runs of Temporal against this code; exit code 1 where one departs',
  options: {
    recent: {
      type: 'string',
      value: 'N',
      help: 'the newest N runs of the Temporal of TEMPORAL_ADDRESS, on TEMPORAL_TASK_QUEUE',
    },
    reason: { ...REASON, help: 'why, for the record; of a task' },
  },
  schema: z
    .strictObject({
      what: z.string().min(1).optional(),
      recent: z.coerce.number('must be a whole number').int().min(1).max(100_000).optional(),
      reason: Reason.optional(),
    })
    .refine(({ what, recent }) => (what === undefined) !== (recent === undefined), {
      path: ['what'],
      message: 'name a file or a task, or say --recent N',
    })
    .refine(({ what = '', reason }) => isTaskId(what) === (reason !== undefined), {
      path: ['reason'],
      message: 'must be given for a task, and only for one',
    }),
  async run({ what, recent, reason }, context) {
    const { createReplayHistory } = await import('../../replay/replay-history.js');
    const replayHistory = createReplayHistory({ codePath: WORKFLOW_BUNDLE }, decodeBy(context.api));
    const lines: Line[] = [];
    for await (const { name, taskId, history } of sourcesOf({ what, recent, reason }, context)) {
      lines.push({ name, ...(await replayHistory(history, taskId)) });
    }
    context.answer(summaryOf(lines), () => textOf(lines));
    return lines.every(isFine) ? EXIT.done : EXIT.bad;
  },
});

async function* sourcesOf(
  {
    what = '',
    recent,
    reason,
  }: { what?: string | undefined; recent?: number | undefined; reason?: string | undefined },
  { api }: Context,
): AsyncGenerator<Source> {
  if (recent !== undefined) {
    yield* recentOf(recent);
  } else if (isTaskId(what)) {
    const { history } = (await api().post(`${taskPath(what)}history/`, { reason })) as { history: unknown };
    yield { name: what, taskId: what, history };
  } else {
    yield { name: what, taskId: 'replayed', history: await readHistory(what) };
  }
}

async function readHistory(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    const why =
      error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error);
    throw new CliError(`${JSON.stringify(file)} is no task id and can't be read as a file: ${why}`, EXIT.usage);
  }
}

async function* recentOf(limit: number): AsyncGenerator<Source> {
  const { temporal } = readConfig();
  if (!temporal.external) throw new ConfigError('TEMPORAL_ADDRESS (or TEMPORAL_PROFILE) must be set for --recent.');
  const [{ connectClient }, { recentHistories }] = await Promise.all([
    import('../../temporal-connection.js'),
    import('../../replay/recent-histories.js'),
  ]);
  const client = connectClient(temporal.target);
  try {
    for await (const { taskId, runId, history } of recentHistories(client, temporal.taskQueue, limit)) {
      yield { name: `${taskId} ${runId}`, taskId, history };
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CliError(`Temporal at TEMPORAL_ADDRESS can't be asked: ${error.message}`, EXIT.unavailable);
  } finally {
    await client.connection.close();
  }
}

/** By the API's codec, so that nobody here needs a key or a database; each time is written down there. */
const decodeBy =
  (api: () => Api): Decode =>
  async (payloads) => {
    const decoded: JsonPayload[] = [];
    for (let n = 0; n < payloads.length; n += DECODE_AT_ONCE) {
      const body = { payloads: payloads.slice(n, n + DECODE_AT_ONCE) };
      const answer = (await api().post('/codec/decode', body)) as { payloads: JsonPayload[] };
      decoded.push(...answer.payloads);
    }
    return decoded;
  };

/** What can't be read says nothing about the code. */
const isFine = ({ outcome }: Line): boolean => outcome === 'compatible' || outcome === 'unreadable';

const summaryOf = (lines: readonly Line[]): object => ({
  replayed: lines.length,
  compatible: lines.filter(({ outcome }) => outcome === 'compatible').length,
  others: lines.filter(({ outcome }) => outcome !== 'compatible'),
});

function textOf(lines: readonly Line[]): string {
  const others = lines.flatMap((line) =>
    line.outcome === 'compatible' ? [] : [[line.name, line.outcome, harmless(line.why)]],
  );
  const sentence = `${lines.length - others.length} of ${lines.length} compatible with this code.`;
  return others.length === 0 ? sentence : [table(['history', 'outcome', 'why'], others), '', sentence].join('\n');
}
