import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporalCli, sources, type Source } from '../../src/dev/temporal-cli.js';

describe('Finding the Temporal CLI', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-cli-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const program = async (path: string, script: string): Promise<string> => {
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const quiet = () => undefined;
  const has = (path: string): Source => ({ name: 'one', find: () => Promise.resolve(path) });
  const hasNot: Source = { name: 'the other', find: () => Promise.reject(new Error('not today')) };

  it('takes the first that runs', async () => {
    const works = await program(join(folder, 'works'), 'exit 0');
    const broken = await program(join(folder, 'broken'), 'exit 1');
    assert.equal(await findTemporalCli(quiet, [hasNot, has(broken), has(works)]), works);
  });

  it('says why each way failed, and what to install', async () => {
    await assert.rejects(findTemporalCli(quiet, [hasNot, has(join(folder, 'nothing'))]), (error: Error) => {
      assert.match(error.message, /the other: not today/);
      assert.match(error.message, /one: .*ENOENT/);
      assert.match(error.message, /Install the Temporal CLI .* or Go .*, or set TEMPORAL_ADDRESS/);
      return true;
    });
  });

  it('takes the one that TEMPORAL_CLI_PATH names, or fails', async () => {
    const named = await program(join(folder, 'named'), 'exit 0');
    assert.equal(await findTemporalCli(quiet, sources(folder, named)), named);
    await assert.rejects(
      findTemporalCli(quiet, sources(folder, join(folder, 'nothing'))),
      /TEMPORAL_CLI_PATH: .*ENOENT/,
    );
  });

  it('looks on the PATH first, then for what an earlier start downloaded or built', async () => {
    const [onPath, earlier, ...fetched] = sources(folder, '');
    assert.deepEqual(
      fetched.map(({ name }) => name),
      ["the Temporal SDK's download", 'a build by the Go toolchain'],
    );
    await assert.rejects(earlier!.find(quiet), /none in/);
    await mkdir(join(folder, 'build-broken-off'));
    const cached = await program(join(folder, 'temporal'), 'exit 0');
    assert.equal(await earlier!.find(quiet), cached);
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      assert.equal(await onPath!.find(quiet), cached);
    } finally {
      process.env.PATH = path;
    }
  });
});
