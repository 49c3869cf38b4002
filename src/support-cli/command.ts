import { z } from 'zod';
import type { Api } from './api.js';
import type { ExitCode } from './exit-codes.js';

/** One option of a command, as it is read and explained. */
export interface Option {
  type: 'string' | 'boolean';
  /** What stands for its value in the help. */
  value?: string;
  help: string;
}

/** What a command works with. */
export interface Context {
  /** Made at its first use, so that what is wrong with the settings is told only to those who need them. */
  api: () => Api;
  /** Prints the answer: as JSON with `--json`, else as this text. */
  answer: (json: unknown, text: () => string) => void;
  /** Prints a line for people; nothing with `--json`. */
  say: (line: string) => void;
}

/** One command of the CLI. */
export interface Command<Input = unknown> {
  name: string;
  /** Names of what stands behind it, without a dash; one in brackets may be left out. */
  positionals: readonly string[];
  summary: string;
  options: Record<string, Option>;
  /** Of the options and the positionals, by their names. */
  schema: z.ZodType<Input>;
  run: (input: Input, context: Context) => Promise<ExitCode>;
}

/** A command for the list of commands, whatever its input; its own types agree with each other. */
export const command = <Input>(one: Command<Input>): Command => one as Command;

export const TaskId = z.uuid('must be a task id').toLowerCase();
export const Owner = z.string().min(1).max(255);
export const REASON = { type: 'string', value: 'TEXT', help: 'why, for the record' } as const satisfies Option;
export const Reason = z
  .string('must be given: why, for the record')
  .trim()
  .min(1, 'must be given: why, for the record')
  .max(500);

/** How long ago, such as 30m, 2h or 3d; or a time as RFC 3339 has it. */
export const Moment = z.string().transform((text, context) => {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return new Date(Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]).toISOString();
  }
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return text;
  context.addIssue({ code: 'custom', message: 'must be like 30m, 2h, 3d or 2026-11-24T08:00:00Z' });
  return z.NEVER;
});

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
