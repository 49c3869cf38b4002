import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** The version that is built where none is found: the server the product is tested with. */
const CLI_VERSION = 'v1.5.1';
const CLI_MODULE = `github.com/temporalio/cli/cmd/temporal@${CLI_VERSION}`;
const EXE = process.platform === 'win32' ? '.exe' : '';
const NEWS_EVERY_MS = 5_000;

/** Tells the person who started the service what is going on, a line at a time. */
export type Report = (line: string) => void;

/** One way to come by the Temporal CLI: its path, or an error that says why not. */
export interface Source {
  name: string;
  find: (report: Report) => Promise<string>;
}

/** Where binaries are kept between starts and clones. */
export const cacheFolder = (): string =>
  join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'prompt-generation-service',
    `temporal-cli-${CLI_VERSION.slice(1)}`,
  );

/**
 * The ways to the CLI, the cheapest first: what an earlier start downloaded or built is used before anything is fetched.
 * Where TEMPORAL_CLI_PATH names one, that one and no other.
 */
export function sources(cache = cacheFolder(), named = process.env.TEMPORAL_CLI_PATH): Source[] {
  return named ? [{ name: 'TEMPORAL_CLI_PATH', find: () => Promise.resolve(named) }] : waysToFind(cache);
}

const waysToFind = (cache: string): Source[] => [
  { name: 'a `temporal` on the PATH', find: findOnPath },
  { name: 'one from an earlier start', find: () => findCached(cache) },
  { name: "the Temporal SDK's download", find: (report) => download(cache, report) },
  { name: 'a build by the Go toolchain', find: (report) => build(cache, report) },
];

/**
 * The path of a Temporal CLI that runs.
 * @throws Error that lists what was tried and says what to install.
 */
export async function findTemporalCli(report: Report, tries: Source[] = sources()): Promise<string> {
  const failures: string[] = [];
  for (const { name, find } of tries) {
    try {
      const path = await find(report);
      await promisify(execFile)(path, ['--version']);
      return path;
    } catch (error) {
      failures.push(`  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(
    [
      'No Temporal server could be had. Tried:',
      ...failures,
      'Install the Temporal CLI (https://docs.temporal.io/cli) or Go 1.25 or newer (https://go.dev/dl/), or set TEMPORAL_ADDRESS.',
    ].join('\n'),
  );
}

async function findOnPath(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, `temporal${EXE}`);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  throw new Error('there is none');
}

async function findCached(cache: string): Promise<string> {
  const files = await readdir(cache).catch(() => []);
  const name =
    files.find((file) => file === `temporal${EXE}`) ?? files.find((file) => file.startsWith('temporal-sdk-'));
  if (name === undefined) throw new Error(`none in ${cache}`);
  return join(cache, name);
}

/** The SDK downloads a CLI to run a test server; that one is kept. Fails at once without internet access. */
async function download(cache: string, report: Report): Promise<string> {
  await mkdir(cache, { recursive: true });
  report('Looking for a Temporal server to download ...');
  // Only where it is needed: it is a large library.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: cache }, log: { format: 'json', level: 'error' } },
  });
  await environment.teardown();
  return findCached(cache);
}

/** Builds in a folder of its own and renames, so that a build that is broken off leaves nothing half-done. */
async function build(cache: string, report: Report): Promise<string> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'build-'));
  try {
    report(
      `Building the Temporal server ${CLI_VERSION} with Go. This takes some minutes, once; the result is kept in ${cache}`,
    );
    await goInstall(folder, report);
    await rename(join(folder, `temporal${EXE}`), join(cache, `temporal${EXE}`));
    return join(cache, `temporal${EXE}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function goInstall(folder: string, report: Report): Promise<void> {
  const began = Date.now();
  // GOFLAGS and the work folder of a Go project around us must not matter.
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '', GOWORK: 'off' };
  const go = spawn('go', ['install', '-v', CLI_MODULE], { env, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  // Whoever stops the start must not find Go still busy.
  const killWithUs = (): void => void go.kill('SIGKILL');
  process.once('exit', killWithUs);
  const said: string[] = [];
  let packages = 0;
  go.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = text.split('\n').filter((line) => line !== '');
    packages += lines.filter((line) => !line.startsWith('go: ')).length;
    said.splice(0, Math.max(0, said.length + lines.length - 5));
    said.push(...lines);
  });
  const news = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1_000);
    report(`  ${seconds} s: ${packages > 0 ? `${packages} packages built` : 'fetching sources'}`);
  }, NEWS_EVERY_MS);
  return new Promise<void>((resolve, reject) => {
    go.once('error', (error) => {
      reject(new Error('code' in error && error.code === 'ENOENT' ? 'Go is not installed' : error.message));
    });
    go.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go install ended with ${code}: ${said.slice(-5).join(' | ')}`));
    });
  }).finally(() => {
    process.off('exit', killWithUs);
    clearInterval(news);
  });
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
