import { createHash } from 'node:crypto';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './run-command.js';

const REQUIREMENTS = 'test/openapi/requirements.txt';

/** The program, installed at the first use of these requirements and kept. Throws where Python can't do that, saying what to install. */
export async function installSchemathesis(): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12);
  const folder = join(homedir(), '.cache', 'prompt-generation-service', `schemathesis-${version}`);
  const program = join(folder, 'bin', 'schemathesis');
  const marker = join(folder, 'complete');
  if (await exists(marker)) return program;
  await rm(folder, { recursive: true, force: true });
  if ((await run('python3', ['-m', 'venv', folder]).catch(() => 1)) !== 0) {
    throw new Error('This test needs Python 3.10 or newer with its venv: apt-get install python3-venv');
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS];
  if ((await run(join(folder, 'bin', 'python'), pip)) !== 0) throw new Error(`pip can't install ${REQUIREMENTS}`);
  await writeFile(marker, '');
  return program;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
