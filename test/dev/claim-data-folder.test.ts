import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../src/config.js';
import { claimDataFolder } from '../../src/dev/claim-data-folder.js';
import { endProcess, runningProcess } from '../../src/dev/processes.js';

describe('A data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-data-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A process with that in its command line. */
  const run = async (commandHas: string) => {
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)', '--', commandHas]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    return { pid: child.pid!, ended, kill: () => child.kill('SIGKILL') };
  };
  const pidFile = () => join(folder, 'service.pid');

  it('is made and noted by the process that claims it, and free again after', async () => {
    const release = await claimDataFolder(join(folder, 'deep', 'down'));
    assert.equal(await readFile(join(folder, 'deep', 'down', 'service.pid'), 'utf8'), String(process.pid));
    await release();
    await assert.rejects(readFile(join(folder, 'deep', 'down', 'service.pid')));
  });

  it('is refused while another service uses it', async () => {
    const other = await run('dist/dev/main.js');
    await writeFile(pidFile(), String(other.pid));
    await assert.rejects(claimDataFolder(folder), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, new RegExp(`process ${other.pid}.*DATA_DIR`));
      return true;
    });
    other.kill();
    await other.ended;
    await (
      await claimDataFolder(folder)
    )();
  });

  it('is no longer claimed by one that was killed, though its pid is another program’s now', async () => {
    const stranger = await run('another program');
    await writeFile(pidFile(), String(stranger.pid));
    await (
      await claimDataFolder(folder)
    )();
    stranger.kill();
    await writeFile(pidFile(), 'nonsense');
    await (
      await claimDataFolder(folder)
    )();
  });

  it('lets what a killed service left behind be ended, and nothing else', async () => {
    const file = { path: pidFile(), commandHas: 'temporal.db' };
    assert.equal(await endProcess(file), null);
    const stranger = await run('another program');
    await writeFile(pidFile(), String(stranger.pid));
    assert.equal(await endProcess(file), null);
    const orphan = await run('--db-filename temporal.db');
    await writeFile(pidFile(), String(orphan.pid));
    assert.equal(await runningProcess(file), orphan.pid);
    assert.equal(await endProcess(file), orphan.pid);
    await orphan.ended;
    assert.equal(await runningProcess(file), null);
    process.kill(stranger.pid, 0);
    stranger.kill();
  });
});
