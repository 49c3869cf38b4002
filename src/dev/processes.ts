import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as rest } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How long a process may take to end by itself before it is killed, in ms. */
const END_LIMIT_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** Where a program notes its process, and a part of that program's command line: pids are used again by others. */
export interface PidFile {
  path: string;
  commandHas: string;
}

/** Notes a process. With `exclusive`, throws EEXIST where the file is there already. */
export const writePid = ({ path }: PidFile, pid: number, { exclusive = false } = {}): Promise<void> =>
  writeFile(path, String(pid), { flag: exclusive ? 'wx' : 'w' });

export const removePid = ({ path }: PidFile): Promise<void> => rm(path, { force: true });

/** The noted process, if it still runs. */
export async function runningProcess({ path, commandHas }: PidFile): Promise<number | null> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return (await commandOf(pid)).includes(commandHas) ? pid : null;
}

/** Ends the noted process if it still runs, and returns its pid. It MUST NOT be a child of this process. */
export async function endProcess(file: PidFile): Promise<number | null> {
  const pid = await runningProcess(file);
  if (pid === null) return null;
  process.kill(pid, 'SIGTERM');
  const killAt = Date.now() + END_LIMIT_MS;
  while (!(await hasEnded(pid))) {
    if (Date.now() > killAt) process.kill(pid, 'SIGKILL');
    await rest(LOOK_EVERY_MS);
  }
  return pid;
}

/** Whether a process has ended and given back its ports and files; one that nobody waits for stays as a zombie. */
export async function hasEnded(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  return (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).includes(') Z ');
}

/** The command line of a process; empty where there is none. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
  }
  const ps = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return ps.stdout;
}
