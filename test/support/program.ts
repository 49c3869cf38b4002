import { spawn, type ChildProcess } from 'node:child_process';
import { SignJWT } from 'jose';
import { eventually } from './eventually.js';

/** A program of the service as a process of its own. */
export interface Program {
  pid: number;
  /** Everything it has written so far. */
  output(): string;
  /** Asks it to stop, as Ctrl-C does, and returns its exit code. */
  stop(): Promise<number | null>;
  /** At once, as a crash would. */
  kill(): Promise<void>;
  /** Its exit code, once it has ended. */
  exited: Promise<number | null>;
}

/** Variables of a developer's own shell that would change what a test starts. */
const NOT_OURS =
  /^(TEMPORAL_|OTEL_|DATABASE_URL$|DATA_DIR$|OPENAI_|LLM_|AUTH_|PAYLOAD_|SUPPORT_|PORT$|HOST$|METRICS_PORT$|NODE_ENV$|LOG_LEVEL$|MAX_|SHUTDOWN_)/;

/**
 * Runs a compiled main (`npm run build` comes before the tests) with these settings alone; unless they say so, it stops without a
 * delay. `folder`: where, other than the repository.
 */
export function runProgram(main: string, settings: Record<string, string> = {}, folder?: string): Program {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !NOT_OURS.test(name) || name === 'TEMPORAL_CLI_PATH',
  );
  const env = { ...Object.fromEntries(inherited), SHUTDOWN_DELAY_SECONDS: '0', ...settings };
  const child: ChildProcess = spawn(process.execPath, [main], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    stop: () => {
      child.kill('SIGINT');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Waits until the API answers that all its parts are there; fails with the program's words where it ends before. */
export async function untilReady(url: string, program: Program): Promise<void> {
  const state = { ended: false };
  void program.exited.then(() => (state.ended = true));
  await eventually(
    async () => {
      if (state.ended) return;
      const answer = await fetch(`${url}/readyz`);
      if (!answer.ok) throw new Error(`/readyz answered ${answer.status}: ${await answer.text()}`);
    },
    // The first start on a machine may have to build the Temporal server.
    { timeoutMs: 600_000 },
  );
  if (state.ended) throw new Error(`The service ended at its start:\n${program.output()}`);
}

/** The secret of the services that tests start. */
export const SECRET = 'a secret of the tests, of no use elsewhere';

/** A token of an owner for a service with AUTH_JWT_SECRET = SECRET. */
export const tokenFor = (owner: string, scope = ''): Promise<string> =>
  new SignJWT({ sub: owner, scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
