import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../../src/ledger/migrate.js';
import { renderDocs } from '../../src/api/service/docs.js';
import { useTestApi } from '../api/support/test-api.js';
import { DATABASES } from '../ledger/databases.js';
import { checkTemporalCommands } from './temporal-commands.js';

const runbook = readFileSync('docs/runbook.md', 'utf8');
const matches = (pattern: RegExp): string[] => [
  ...new Set([...runbook.matchAll(pattern)].map(([, found = '']) => found)),
];

/** The words of an error before the first that differs each time. */
const fixedPart = (error: string): string => /^(?:[^\d\s…]+(?: |$))*/.exec(error)![0].trim();

/** What a reader sets in their own shell. */
const OF_THE_READER = 'NEW_URL';

describe('The runbook', () => {
  const api = useTestApi();

  it('quotes only what the programs say', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const source = files.map((file) => readFileSync(join('src', file), 'utf8').replaceAll("\\'", "'")).join('\n');
    const logged = matches(/"msg":"([^"]+)"/g);
    assert.ok(logged.length > 25, `only ${logged.length} messages`);
    assert.deepEqual(
      logged.filter((text) => !source.includes(`'${text}'`) && !source.includes(`"${text}"`)),
      [],
    );
    const errors = matches(/`((?:The|These|No|PAYLOAD_ENCRYPTION_KEYS) [^`]+)`/g).map(fixedPart);
    assert.ok(errors.length >= 10, `only ${errors.length} errors`);
    assert.deepEqual(
      errors.filter((text) => !source.includes(text)),
      [],
    );
  });

  it('has SQL that runs on the database of today', async function () {
    this.timeout(60_000);
    const blocks = matches(/```sql\n([\s\S]*?)```/g);
    assert.ok(blocks.length >= 8, `only ${blocks.length} blocks`);
    const db = await DATABASES.PostgreSQL!();
    try {
      await migrate(db);
      for (const block of blocks) await db.run(block);
    } finally {
      await db.close();
    }
  });

  it('names only settings that there are', () => {
    const known = readFileSync('.env.example', 'utf8') + readFileSync('src/config.ts', 'utf8');
    const named = matches(/(?<![A-Za-z0-9_])\$?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![A-Za-z0-9_])/g);
    assert.ok(named.length > 12, `only ${named.length} settings`);
    assert.deepEqual(
      named.filter((name) => name !== OF_THE_READER && !new RegExp(`\\b${name}\\b`).test(known)),
      [],
    );
  });

  it('asks only for paths that there are', () => {
    const pattern = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replace(/\/$/, '/?')}$`);
    const routes = api().routes.map(({ path }) => path);
    const admin = matches(/`?admin '?((?:accounts|owners|actions)\/[^\s'`?]*)/g).map((path) => `/api/v1/admin/${path}`);
    const others = matches(/(?:\$API|DELETE )(\/[^\s"'`?$]+)(?=[\s"'`?])/g);
    assert.ok(admin.length >= 5 && others.length >= 4, `only ${admin.length} and ${others.length} paths`);
    // The codec's endpoint is what its two verbs are added to.
    const paths = [...admin, ...others.map((path) => (path === '/codec' ? '/codec/decode' : path))];
    assert.deepEqual(
      paths.filter((path) => !routes.some((route) => pattern(route).test(path))),
      [],
    );
  });

  it('gives the CLI of Temporal flags that it knows', async function () {
    this.timeout(600_000);
    assert.ok((await checkTemporalCommands(runbook)) > 12);
  });

  it('links only to what there is', () => {
    const page = renderDocs(runbook, { template: '{{content}}', title: '' });
    const anchors = matches(/\]\(#([\w-]+)\)/g);
    assert.ok(anchors.length > 10, `only ${anchors.length} links`);
    assert.deepEqual(
      anchors.filter((anchor) => !page.includes(`id="${anchor}"`)),
      [],
    );
  });
});
