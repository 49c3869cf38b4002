import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';

/** Fails where a text gives the CLI of Temporal a flag that it does not know; returns how many commands have flags. */
export async function checkTemporalCommands(text: string): Promise<number> {
  const cli = await findTemporalCli(() => undefined);
  /** The commands of each, with all flags it is given anywhere. */
  const commands = new Map<string, Set<string>>();
  for (const [, words = '', rest = ''] of text.matchAll(/\b(?:temporal|tc)((?: [a-z][a-z-]+)+)([^\n`;|]*)/g)) {
    const flags = commands.get(words.trim()) ?? new Set();
    for (const [flag] of rest.matchAll(/(?<= )--?[a-z][a-z-]*/g)) flags.add(flag);
    if (flags.size > 0) commands.set(words.trim(), flags);
  }
  for (const [words, flags] of commands) {
    const { stdout: help } = await promisify(execFile)(cli, [...words.split(' '), '--help']);
    for (const flag of flags) assert.match(help, new RegExp(`(^|[ ,])${flag}\\b`, 'm'), `temporal ${words} ${flag}`);
  }
  return commands.size;
}
