import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderDocs } from '../../src/api/service/docs.js';
import { COMMANDS } from '../../src/support-cli/commands/index.js';

const text = readFileSync('docs/support.md', 'utf8');
const matches = (pattern: RegExp, where = text): string[] =>
  [...where.matchAll(pattern)].map(([, found = '']) => found);

/** The words of a command line, as a shell makes them. */
const wordsOf = (line: string): string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

const names = COMMANDS.map(({ name }) => name).join('|');
/** Every command line that is shown: those in blocks, and those in backquotes that begin with a command's name. */
const lines = [
  ...matches(/^prompt-support (.+?)(?: +#.*)?$/gm),
  ...matches(new RegExp(`\`(?:prompt-support )?((?:${names})(?: [^\`]+)?)\``, 'g')),
];

describe('The guide for support', () => {
  it('gives the CLI only commands and options that it knows', () => {
    assert.ok(lines.length > 20, `only ${lines.length} lines`);
    for (const line of lines) {
      const [name, ...words] = wordsOf(line);
      const command = COMMANDS.find((one) => one.name === name);
      assert.ok(command, line);
      const options = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
      assert.deepEqual(
        options.filter((option) => !(option in command.options)),
        [],
        line,
      );
    }
  });

  it('shows every command', () => {
    const shown = new Set(lines.map((line) => wordsOf(line)[0]));
    assert.deepEqual(
      COMMANDS.map(({ name }) => name).filter((name) => !shown.has(name)),
      [],
    );
  });

  it('quotes only what is said of a task', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const source = files.map((file) => readFileSync(join('src', file), 'utf8')).join('\n');
    const table = text.slice(text.indexOf('| it reads'), text.indexOf('## Who pays'));
    const quoted = matches(/^\| (`.+?) +\|/gm, table).flatMap((cell) => matches(/`([^`]+)`/g, cell));
    assert.ok(quoted.length >= 8, `only ${quoted.length} quotes`);
    // Figures, and what "…" stands for, differ each time.
    const parts = quoted.flatMap((words) => words.split(/ ?… ?| \d+ /));
    assert.deepEqual(
      parts.filter((part) => !source.includes(part)),
      [],
    );
  });

  it('links only to what there is', () => {
    const links = matches(/\]\(([^)]+)\)/g);
    assert.ok(links.length >= 5, `only ${links.length} links`);
    for (const link of links) {
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? 'docs/support.md' : join('docs', file);
      assert.ok(existsSync(path), link);
      const page = renderDocs(readFileSync(path, 'utf8'), { template: '{{content}}', title: '' });
      assert.ok(anchor === undefined || page.includes(`id="${anchor}"`), link);
    }
  });
});
