import { z } from 'zod';
import { FAILURE_CODES } from '../../contract/failures.js';
import { command, Moment, Owner, TaskId, type Option } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { findTasks, taskTable, type Filter } from '../tasks.js';

/** What tasks are found by, also where many are retried. */
export const FILTER_OPTIONS = {
  id: { type: 'string', value: 'TASK', help: 'only this task, or those of this batch' },
  owner: { type: 'string', value: 'OWNER', help: 'only those of this owner' },
  state: { type: 'string', value: 'STATE', help: 'processing, completed, fallback or failed' },
  code: { type: 'string', value: 'CODE', help: `one of ${FAILURE_CODES.join(', ')}` },
  since: { type: 'string', value: 'TIME', help: 'created since: 30m, 2h, 3d or 2026-11-24T08:00:00Z' },
  until: { type: 'string', value: 'TIME', help: 'created before that' },
  error: { type: 'string', value: 'TEXT', help: 'with this text in the reason or in the words of the error' },
  limit: { type: 'string', value: 'N', help: 'the newest N, 50 where it is left out' },
} as const satisfies Record<string, Option>;

export const FilterInput = z.strictObject({
  id: TaskId.optional(),
  owner: Owner.optional(),
  state: z.enum(['processing', 'completed', 'fallback', 'failed']).optional(),
  code: z.enum(FAILURE_CODES).optional(),
  since: Moment.optional(),
  until: Moment.optional(),
  error: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(50),
});

/** The filter as the API's parameters name it. */
export const filterOf = (input: Omit<z.infer<typeof FilterInput>, 'limit'>): Filter => ({
  task_id: input.id,
  owner: input.owner,
  state: input.state,
  error_code: input.code,
  from: input.since,
  to: input.until,
  q: input.error,
});

/** `find`: tasks of all owners, without their texts. */
export const find = command({
  name: 'find',
  positionals: [],
  summary: 'Find tasks of all owners, newest first',
  options: FILTER_OPTIONS,
  schema: FilterInput,
  async run({ limit, ...input }, { api, answer, say }) {
    const { tasks, more } = await findTasks(api(), filterOf(input), limit);
    answer({ tasks, more }, () => (tasks.length === 0 ? 'No such task.' : taskTable(tasks)));
    if (more) say(`There are more; --limit shows more than ${limit}.`);
    return EXIT.done;
  },
});
