import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderDocs } from '../../src/api/service/docs.js';
import { checkTemporalCommands } from './temporal-commands.js';

const read = (file: string): string => readFileSync(file, 'utf8');
const page = read('docs/production.md');
const matches = (pattern: RegExp): string[] => [...new Set([...page.matchAll(pattern)].map(([, found = '']) => found))];

describe('The guide for production', () => {
  it('gives the CLI of Temporal flags that it knows', async function () {
    this.timeout(600_000);
    assert.ok((await checkTemporalCommands(page)) >= 4);
  });

  it('names only settings that there are', () => {
    const known = ['.env.example', 'docker-compose.temporal.yml', 'ops/production.env.example'].map(read).join('');
    const named = matches(/(?<![A-Za-z0-9_$])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![A-Za-z0-9_])/g);
    assert.ok(named.length > 12, `only ${named.length} settings`);
    assert.deepEqual(
      named.filter((name) => !new RegExp(`\\b${name}\\b`).test(known) && !name.startsWith('TEMPORAL_TLS_')),
      [],
    );
  });

  it('links only to what there is', () => {
    const links = matches(/\]\(([^)]+)\)/g);
    assert.ok(links.length > 8, `only ${links.length} links`);
    for (const link of links) {
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? 'docs/production.md' : join('docs', file);
      assert.ok(existsSync(path), link);
      if (anchor === undefined) continue;
      const html = renderDocs(read(path), { template: '{{content}}', title: '' });
      assert.ok(html.includes(`id="${anchor}"`), link);
    }
  });
});
