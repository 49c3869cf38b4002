import { rename, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { findTemporalCli } from '../../../src/dev/temporal-cli.js';
import { builtOnce, go } from '../../deployment/go-program.js';

/**
 * A PATH that begins with Temporal's programs as the images have them: the server and the SQL tool of this version, built by Go
 * at the first use (some minutes), and the CLI.
 */
export async function pathWithTemporal(version: string, folder: string): Promise<string> {
  const programs = await builtOnce(`temporal-server-${version}`, (bin) => build(version, bin));
  await symlink(await findTemporalCli(report), join(folder, 'temporal'));
  return [programs, folder, process.env.PATH ?? ''].join(delimiter);
}

const report = (line: string): void => void process.stderr.write(`${line}\n`);

async function build(version: string, bin: string): Promise<void> {
  report(`Building the Temporal server ${version} with Go. This takes some minutes, once.`);
  const server = 'go.temporal.io/server/cmd';
  await go(['install', `${server}/server@v${version}`, `${server}/tools/sql@v${version}`], { cwd: bin, bin });
  await rename(join(bin, 'server'), join(bin, 'temporal-server'));
  await rename(join(bin, 'sql'), join(bin, 'temporal-sql-tool'));
}
