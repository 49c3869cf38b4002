import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs Prometheus' own tool, and returns what it says; fails with that where it is not content. */
export async function promtool(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('promtool', args);
    return stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 'ENOENT') {
      throw new Error(
        'There is no promtool on PATH. Install it: apt-get install prometheus, or brew install prometheus.',
        {
          cause: error,
        },
      );
    }
    throw new Error(`promtool ${args.join(' ')}:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
