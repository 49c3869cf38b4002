import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError } from '../config.js';
import { removePid, runningProcess, writePid, type PidFile } from './processes.js';

/** A part of the command line of `npm start`, compiled or not. */
const COMMAND = `dev/main.`;

/**
 * Makes the folder this process's own (the embedded database takes one process at a time), and returns how to let go of
 * it. One that was killed and could not let go is no obstacle.
 * @throws ConfigError where another one runs on it.
 */
export async function claimDataFolder(dataDir: string): Promise<() => Promise<void>> {
  const folder = resolve(dataDir);
  await mkdir(folder, { recursive: true });
  const file: PidFile = { path: join(folder, 'service.pid'), commandHas: COMMAND };
  try {
    await writePid(file, process.pid, { exclusive: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const other = await runningProcess(file);
    if (other !== null && other !== process.pid) {
      throw new ConfigError(
        `Another service (process ${other}) uses ${folder}. Stop that one, or set DATA_DIR to another folder.`,
      );
    }
    await writePid(file, process.pid);
  }
  return () => removePid(file);
}
