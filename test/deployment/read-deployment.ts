import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtOnce, go } from './go-program.js';

const SOURCES = 'test/deployment/read-deployment';

export const COMPOSE_FILE = 'docker-compose.temporal.yml';

/** A service as Compose has it, what is put together and what is left out included. */
export interface Service {
  image: string;
  user?: string;
  command: string[] | null;
  environment?: Record<string, string | null>;
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[];
  ports?: { host_ip?: string; published: string; target: number }[];
  networks: Record<string, unknown>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy?: { replicas?: number };
  profiles?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  build?: { context: string; dockerfile: string };
}

export interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
}

export interface Dockerfile {
  /** What `docker build --check` says. */
  warnings: { ruleName: string; detail: string }[] | null;
  stages: { name: string; base: string; instructions: string[] }[];
  image: { User: string; Cmd: string[]; Env: string[]; WorkingDir: string; Healthcheck: { Test: string[] } };
}

/** One of them. Throws where there is none of that name. */
export function serviceOf({ services }: Compose, name: string): Service {
  const service = services[name];
  if (!service) throw new Error(`${COMPOSE_FILE} has no service ${name}`);
  return service;
}

/** The compose file as Docker reads it, with these variables. Throws, in Docker's words, where it would refuse it. */
export const readCompose = (variables: Record<string, string>): Promise<Compose> =>
  read<Compose>('compose', COMPOSE_FILE, variables);

/** A Dockerfile as Docker reads it. Throws, in its words, where it would refuse it. */
export const readDockerfile = (file = 'Dockerfile'): Promise<Dockerfile> => read<Dockerfile>('dockerfile', file, {});

async function read<T>(kind: string, file: string, variables: Record<string, string>): Promise<T> {
  const program = join(await reader(), 'read-deployment');
  const { stdout } = await promisify(execFile)(program, [kind, file], { env: variables, maxBuffer: 50e6 });
  return JSON.parse(stdout) as T;
}

/** Built anew whenever its sources change. */
async function reader(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(SOURCES)).sort()) hash.update(await readFile(join(SOURCES, name)));
  return builtOnce(`read-deployment-${hash.digest('hex').slice(0, 12)}`, (folder) =>
    go(['build', '-o', join(folder, 'read-deployment'), '.'], { cwd: SOURCES }),
  );
}
