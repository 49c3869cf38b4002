import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What the Dockerfile copies for `npm ci` and from its first stage, which is `npm run build`. */
const COPIED = ['package.json', 'package-lock.json', '.npmrc', 'dist'];

/**
 * Makes a folder what /app is in the image: the programs find the dependencies of production alone, and no file that is
 * not copied. MUST come after `npm run build`.
 */
export async function makeImage(folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of COPIED) await cp(name, join(folder, name), { recursive: true });
  await cp('docs', join(folder, 'docs'), { recursive: true, filter: (path) => !path.includes('images') });
  await promisify(execFile)('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: folder, maxBuffer: 50e6 });
}
