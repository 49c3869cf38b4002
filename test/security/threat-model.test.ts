import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

interface Row {
  threat: string;
  tests: string;
}

/** The rows of the table of threats. */
function readRows(): Row[] {
  const text = readFileSync('docs/security.md', 'utf8');
  const [, section = ''] = /\n## What stops what\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (threat|-+) /.test(line));
  return rows.map((line) => {
    const [, threat = '', , tests = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { threat, tests };
  });
}

/** Whether a test file has a test of this title; "…" stands for what differs from one to the next. */
function hasTest(file: string, title: string): boolean {
  const source = readFileSync(file, 'utf8').replaceAll("\\'", "'");
  const pattern = title.split('…').map(escaped).join('\\$\\{[^}]*\\}');
  return new RegExp(`\\bit\\(\\s*(['"\`])${pattern}\\1`).test(source);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe('The threat model', () => {
  const rows = readRows();

  it('has a line for each threat, and each names its tests', () => {
    assert.ok(rows.length >= 40, `only ${rows.length} lines`);
    const without = rows.filter(({ tests }) => !/^`[^`]+`: /.test(tests));
    assert.deepEqual(without, []);
  });

  for (const { threat, tests } of rows) {
    it(`has tests against: ${threat.replaceAll('*', '')}`, () => {
      for (const named of tests.split('<br>')) {
        const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(named) ?? [];
        assert.ok(existsSync(file), `${file} does not exist`);
        assert.ok(hasTest(file, title), `${file} has no test "${title}"`);
      }
    });
  }

  it('runs the scans that docs/security.md promises', () => {
    const ci = readFileSync('.ci/run', 'utf8').split('\n');
    for (const script of ['secrets', 'sbom', 'audit', 'test:openapi']) {
      assert.ok(
        ci.some((line) => line.startsWith(`npm run ${script}`)),
        `.ci/run does not run ${script}`,
      );
    }
  });
});
