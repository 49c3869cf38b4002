import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../src/dev/temporal-cli.js';

const run = promisify(execFile);

/** The variables of a Go project around us must not matter. */
const GO = { GOFLAGS: '', GOWORK: 'off' };

/**
 * A folder of the cache that holds programs built by Go: `build` is called once for each `name` with a folder to build into.
 * One that is broken off leaves nothing half-done.
 */
export async function builtOnce(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const cache = dirname(cacheFolder());
  const folder = join(cache, name);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, 'build-'));
  try {
    await build(making);
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** Runs Go; fails with its words, or with what to install. */
export async function go(args: string[], { cwd, bin }: { cwd: string; bin?: string }): Promise<void> {
  const env = { ...process.env, ...GO, ...(bin === undefined ? {} : { GOBIN: bin }) };
  await run('go', args, { cwd, env, maxBuffer: 50e6 }).catch((cause: unknown) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new Error(isMissing ? 'This test needs Go 1.26 or newer (https://go.dev/dl/)' : String(cause), { cause });
  });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
