import type { Command } from './command.js';
import { facts } from './table.js';

/** All commands, and where the CLI gets its settings. */
export const helpOfAll = (commands: readonly Command[]): string =>
  [
    'Usage: prompt-support COMMAND [OPTIONS]',
    '',
    facts(commands.map((command) => [`  ${callOf(command)}`, command.summary])),
    '',
    'Each takes --json, for scripts, and --help.',
    'SUPPORT_API_URL says where the API is, SUPPORT_API_TOKEN who you are (scope support; admin for accounts, grant and erase).',
    'Exit codes: 0 done, 1 refused or not well, 2 wrong arguments or settings, 3 not available now.',
  ].join('\n');

/** One command and its options. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value, help }]): [string, string] => [
    `  --${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
  const general: [string, string][] = [['  --json', 'the answer as JSON']];
  return [
    `Usage: prompt-support ${callOf(command)} [OPTIONS]`,
    '',
    command.summary,
    '',
    facts([...options, ...general]),
  ].join('\n');
}

const callOf = ({ name, positionals }: Command): string =>
  [
    name,
    ...positionals.map((one) => (one.startsWith('[') ? `[${one.slice(1, -1).toUpperCase()}]` : one.toUpperCase())),
  ].join(' ');
