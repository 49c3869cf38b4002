import { z } from 'zod';
import { command, Reason, REASON, TaskId } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { reportText } from '../report-text.js';
import { harmless } from '../table.js';
import { taskPath, type TaskReport } from '../tasks.js';

interface Texts {
  manual_prompt: string;
  prompt: string | null;
}

/** `show`: one task in plain words; its texts only where they are asked for, with a reason. */
export const show = command({
  name: 'show',
  positionals: ['task'],
  summary: 'Show a task: what happened, why, and its money',
  options: {
    reveal: { type: 'boolean', help: 'also its texts, which is written down with your name' },
    reason: REASON,
  },
  schema: z
    .strictObject({ task: TaskId, reveal: z.boolean().default(false), reason: Reason.optional() })
    .refine(({ reveal, reason }) => reveal === (reason !== undefined), {
      path: ['reason'],
      message: 'goes with --reveal, and --reveal with it',
    }),
  async run({ task, reason }, { api, answer }) {
    const report = (await api().get(taskPath(task))) as TaskReport;
    const texts = reason === undefined ? null : ((await api().post(`${taskPath(task)}reveal/`, { reason })) as Texts);
    answer(texts ? { ...report, texts } : report, () =>
      [reportText(report), ...(texts ? textsOf(texts) : [])].join('\n'),
    );
    return EXIT.done;
  },
});

const textsOf = ({ manual_prompt, prompt }: Texts): string[] => [
  '',
  'THE OWNER’S TEXT',
  harmless(manual_prompt),
  ...(prompt === null ? [] : ['', 'THE PROMPT', harmless(prompt)]),
];
