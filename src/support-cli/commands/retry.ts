import { z } from 'zod';
import type { SupportRetry } from '../../api/support/schemas.js';
import type { Api } from '../api.js';
import { CliError } from '../cli-error.js';
import { command, Reason, REASON, TaskId, type Context } from '../command.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../table.js';
import { findTasks, taskPath } from '../tasks.js';
import { FILTER_OPTIONS, FilterInput, filterOf } from './find.js';

type Plan = z.infer<typeof SupportRetry>;

/** What is said of one task: what will be or was done, or why not. */
interface Line {
  taskId: string;
  plan?: Plan;
  refused?: string;
}

const { id: _id, ...MANY_OPTIONS } = FILTER_OPTIONS;

const Input = FilterInput.omit({ id: true })
  .extend({
    task: TaskId.optional(),
    reason: Reason,
    charge: z.enum(['customer', 'none'], 'must be customer or none: who pays'),
    from: z.enum(['start', 'failed-step']).default('start'),
    as: z.enum(['same', 'new']).default('same'),
    text: z.string().min(1).optional(),
    key: z.string().min(1).max(255).optional(),
    yes: z.boolean().default(false),
  })
  .refine(({ state }) => state === undefined || state === 'failed' || state === 'fallback', {
    path: ['state'],
    message: 'must be failed or fallback',
  })
  .refine(({ task, text }) => task !== undefined || text === undefined, {
    path: ['text'],
    message: 'is for one task',
  })
  // Many that break off are asked for once more, which as new tasks would make each of them twice.
  .refine(({ task, as }) => task !== undefined || as === 'same', {
    path: ['as'],
    message: 'new is for one task',
  })
  .refine(({ as, key }) => as === 'new' || key === undefined, { path: ['key'], message: 'is for --as new' })
  .refine((input) => (input.task === undefined) !== (filtersIn(input) === 0), {
    path: ['task'],
    message: 'name one task, or say by --state, --code, --owner, --since, --until or --error which ones',
  });

/** How many of the options that choose tasks are there. */
const filtersIn = ({ owner, state, code, since, until, error }: z.infer<typeof FilterInput>): number =>
  [owner, state, code, since, until, error].filter((value) => value !== undefined).length;

/** `retry`: failed and fallback tasks again, one or many; without `--yes` it only says what that would do and cost. */
export const retry = command({
  name: 'retry',
  positionals: ['[task]'],
  summary: 'Let a failed or fallback task, or many, run again; first only says what it may cost',
  options: {
    charge: { type: 'string', value: 'WHO', help: 'who pays: customer or none' },
    reason: REASON,
    from: { type: 'string', value: 'WHERE', help: 'start, or failed-step: what was done before is not done again' },
    as: { type: 'string', value: 'WHICH', help: 'same, or new: another task of the owner' },
    text: { type: 'string', value: 'TEXT', help: "in place of the owner's text" },
    key: { type: 'string', value: 'KEY', help: 'of --as new: the same key again lets no second task run' },
    yes: { type: 'boolean', help: 'do it' },
    ...MANY_OPTIONS,
  },
  schema: Input,
  async run(input, context) {
    const taskIds = input.task === undefined ? await taskIdsOf(input, context) : [input.task];
    const lines: Line[] = [];
    for (const taskId of taskIds) lines.push(await retryOne(taskId, input, context.api()));
    context.answer(lines.map(jsonOf), () => textOf(lines, input));
    return exitCodeOf(lines);
  },
});

type RetryInput = z.infer<typeof Input>;

async function taskIdsOf({ limit, ...input }: RetryInput, { api, say }: Context): Promise<string[]> {
  const states = input.state === undefined ? (['failed', 'fallback'] as const) : [input.state];
  const found = [];
  for (const state of states) {
    const { tasks, more } = await findTasks(api(), filterOf({ ...input, state }), limit);
    found.push(...tasks.map(({ task_id }) => task_id));
    if (more) say(`There are more that are ${state}; --limit takes more than ${limit}.`);
  }
  return found;
}

async function retryOne(
  taskId: string,
  { reason, charge, from, as, text, key, yes }: RetryInput,
  api: Api,
): Promise<Line> {
  const body = {
    reason,
    charge,
    from: from === 'failed-step' ? 'failed_step' : from,
    as,
    ...(text === undefined ? {} : { manual_prompt: text }),
    dry_run: !yes,
  };
  try {
    const headers = key === undefined ? {} : { 'Idempotency-Key': key };
    const plan = (await api.post(`${taskPath(taskId)}retry/`, body, headers)) as Plan;
    return { taskId, plan };
  } catch (error) {
    // One of many that can't run again does not keep the others from it.
    if (error instanceof CliError && error.code === 'not_retryable') return { taskId, refused: error.message };
    throw error;
  }
}

const jsonOf = ({ taskId, plan, refused }: Line): object => ({ task_id: taskId, ...(plan ? { plan } : { refused }) });

function textOf(lines: readonly Line[], { charge, yes }: RetryInput): string {
  if (lines.length === 0) return 'No such task.';
  const plans = lines.flatMap(({ plan }) => (plan ? [plan] : []));
  const most = (of: 'may_charge' | 'may_cost'): number => plans.reduce((sum, plan) => sum + plan[of], 0);
  const who = charge === 'none' ? 'nobody is charged' : `owners pay ${most('may_charge')} tokens at most`;
  const runs = `${plans.length} of ${lines.length} ${yes ? 'run again' : 'would run again'}`;
  const sentence =
    plans.length === 0 ? 'None can run again.' : `${runs}; ${who}; the model may take ${most('may_cost')}.`;
  const rows = lines.map(({ taskId, plan, refused = '' }) => [
    taskId,
    plan ? (yes ? 'runs' : 'would run') : 'no',
    plan?.step ?? (plan ? 'start' : ''),
    plan ? String(plan.may_charge) : '',
    plan ? String(plan.available) : '',
    plan && plan.task_id !== taskId ? `as ${plan.task_id ?? 'a new task'}` : refused,
  ]);
  return [
    table(['task', 'retry', 'from', 'may charge', 'available', ''], rows),
    '',
    sentence,
    ...(yes || plans.length === 0 ? [] : ['Nothing was done yet: say --yes to do it.']),
  ].join('\n');
}

const exitCodeOf = (lines: readonly Line[]): ExitCode =>
  lines.length > 0 && lines.every(({ plan }) => plan === undefined) ? EXIT.bad : EXIT.done;
