import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { CliError } from '../cli-error.js';
import { command, Reason, REASON, TaskId } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { taskPath } from '../tasks.js';

/** `history`: a task's history as JSON, in a file or on the standard output. */
export const history = command({
  name: 'history',
  positionals: ['task'],
  summary: "Export the history of a task's latest run, to be replayed",
  options: { reason: REASON, output: { type: 'string', value: 'FILE', help: 'where to; it must not be there yet' } },
  schema: z.strictObject({ task: TaskId, reason: Reason, output: z.string().min(1).optional() }),
  async run({ task, reason, output }, { api, answer }) {
    const exported = (await api().post(`${taskPath(task)}history/`, { reason })) as { history: unknown };
    const json = JSON.stringify(exported.history, undefined, 2);
    if (output === undefined) {
      answer(exported.history, () => json);
      return EXIT.done;
    }
    // Only for who wrote it: without encryption it has the owner's text.
    await writeFile(output, `${json}\n`, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
      throw new CliError(
        `The file can't be written: ${error instanceof Error ? error.message : String(error)}`,
        EXIT.usage,
      );
    });
    answer({ file: output }, () => `Written to ${output}.`);
    return EXIT.done;
  },
});
