import { z } from 'zod';
import { command, Reason, REASON, TaskId } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { taskPath } from '../tasks.js';

/** `cancel`: ends a task for its owner. */
export const cancel = command({
  name: 'cancel',
  positionals: ['task'],
  summary: 'Cancel a task; nothing is charged',
  options: { reason: REASON },
  schema: z.strictObject({ task: TaskId, reason: Reason }),
  async run({ task, reason }, { api, answer }) {
    const result = (await api().post(`${taskPath(task)}cancel/`, { reason })) as { outcome: string; state: string };
    answer(result, () =>
      result.outcome === 'requested'
        ? 'It is being cancelled; `show` tells when it has ended.'
        : `There was nothing to do: it is ${result.state}.`,
    );
    return EXIT.done;
  },
});
