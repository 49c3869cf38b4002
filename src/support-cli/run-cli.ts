import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ConfigError, type SupportCliConfig } from '../config.js';
import { createApi, type Api } from './api.js';
import { CliError } from './cli-error.js';
import type { Command, Context } from './command.js';
import { COMMANDS } from './commands/index.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { helpOf, helpOfAll } from './help.js';

/** Where the CLI reads and writes. */
export interface Terminal {
  settings: () => SupportCliConfig;
  out: (text: string) => void;
  error: (text: string) => void;
}

const GENERAL = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

/** Runs one command line, and says how it ended. Throws nothing but bugs. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(helpOfAll(COMMANDS));
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  const json = rest.includes('--json');
  try {
    const command = COMMANDS.find((one) => one.name === name);
    if (!command) throw usage(`There is no command ${JSON.stringify(name)}. See \`help\`.`);
    const { values, positionals } = parse(command, rest);
    if (values.help === true) {
      terminal.out(helpOf(command));
      return EXIT.done;
    }
    return await command.run(inputOf(command, values, positionals), contextOf(terminal, json));
  } catch (error) {
    if (error instanceof ConfigError) return fail(terminal, json, new CliError(error.message, EXIT.usage));
    if (error instanceof CliError) return fail(terminal, json, error);
    throw error;
  }
}

type Values = Record<string, unknown>;

function parse({ name, options }: Command, args: string[]): { values: Values; positionals: string[] } {
  const known: ParseArgsConfig['options'] = {
    ...Object.fromEntries(Object.entries(options).map(([option, { type }]) => [option, { type }])),
    ...GENERAL,
  };
  try {
    return parseArgs({ args, options: known, allowPositionals: true });
  } catch (error) {
    // Its messages are for people: "Unknown option '--onwer'. …"
    throw usage(`${error instanceof Error ? error.message : String(error)}. See \`${name} --help\`.`);
  }
}

function inputOf({ name, positionals: names, schema }: Command, values: Values, positionals: string[]): unknown {
  if (positionals.length > names.length) {
    throw usage(`${JSON.stringify(positionals[names.length])} is one argument too many. See \`${name} --help\`.`);
  }
  const { json: _json, help: _help, ...options } = values;
  const named = Object.fromEntries(positionals.map((value, index) => [bare(names[index] ?? ''), value]));
  const parsed = schema.safeParse({ ...options, ...named });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const [at] = path;
    if (at === undefined) return message;
    const isPositional = names.some((one) => bare(one) === at);
    return `${isPositional ? String(at) : `--${String(at)}`}: ${message}`;
  });
  throw usage(`${lines.join('; ')}. See \`${name} --help\`.`);
}

/** "[owner]" is "owner". */
const bare = (name: string): string => name.replace(/^\[|\]$/g, '');

function contextOf({ settings, out }: Terminal, json: boolean): Context {
  let api: Api | undefined;
  return {
    api: () => (api ??= createApi(settings())),
    answer: (value, text) => {
      out(json ? JSON.stringify(value, undefined, 2) : text());
    },
    say: (line) => {
      if (!json) out(line);
    },
  };
}

function fail({ error: write }: Terminal, json: boolean, error: CliError): ExitCode {
  const { message, code, requestId, exitCode } = error;
  const named = requestId === undefined ? '' : ` (request ${requestId})`;
  write(json ? JSON.stringify({ error: { message, code, request_id: requestId } }) : `Error: ${message}${named}`);
  return exitCode;
}

const usage = (message: string): CliError => new CliError(message, EXIT.usage);
