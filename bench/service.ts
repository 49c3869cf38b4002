import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPlace } from '../test/support/place.js';
import { runProgram, SECRET, untilReady } from '../test/support/program.js';

/** The built service as one process, on ports and a folder of its own. */
export interface Service {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts what `npm start` starts (build first) against the given model; `more`: settings. */
export async function startService(llmBaseUrl: string, more: Record<string, string> = {}): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), 'prompt-bench-'));
  const place = await ownPlace(dataDir);
  const url = `http://127.0.0.1:${place.PORT}`;
  const program = runProgram('dist/dev/main.js', {
    ...place,
    OPENAI_BASE_URL: llmBaseUrl,
    AUTH_JWT_SECRET: SECRET,
    LOG_LEVEL: 'warn',
    MAX_STARTS_PER_MINUTE: '1000000',
    MAX_RUNNING_TASKS: '1000000',
    // As `npm start` has it.
    MALLOC_ARENA_MAX: '1',
    NODE_OPTIONS: '--max-old-space-size=768',
    ...more,
  });
  await untilReady(url, program);
  return {
    url,
    pid: program.pid,
    stop: async () => {
      await program.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
