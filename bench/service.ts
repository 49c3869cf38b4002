import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { eventually } from '../test/support/eventually.js';
import getPort from 'get-port';

const SECRET = 'a secret of the benchmark, of no use elsewhere';

/** The built service as one process, on ports and a folder of its own. */
export interface Service {
  url: string;
  /** A bearer token of this owner. */
  tokenFor(owner: string, scope?: string): Promise<string>;
  /** Resident memory of the Node process, in MB. */
  residentMb(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts `node dist/dev/main.js` (build first) against the given model. */
export async function startService(llmBaseUrl: string): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), 'prompt-bench-'));
  const [port, temporal, ui, metrics] = await Promise.all([getPort(), getPort(), getPort(), getPort()]);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['dist/dev/main.js'], {
    env: {
      ...process.env,
      PORT: String(port),
      TEMPORAL_DEV_PORT: String(temporal),
      TEMPORAL_DEV_UI_PORT: String(ui),
      METRICS_PORT: String(metrics),
      DATA_DIR: dataDir,
      OPENAI_BASE_URL: llmBaseUrl,
      AUTH_JWT_SECRET: SECRET,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`The service ended with ${child.exitCode}`);
      const { ok, status } = await fetch(`${url}/readyz`);
      if (!ok) throw new Error(`/readyz answered ${status}`);
    },
    { timeoutMs: 600_000 },
  );
  return {
    url,
    tokenFor: (owner, scope = '') =>
      new SignJWT({ sub: owner, scope })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(Buffer.from(SECRET)),
    residentMb: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
