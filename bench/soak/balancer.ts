import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.js';
import { ownPort } from '../../test/support/place.js';

/** One address for all APIs. */
export interface Balancer {
  port: string;
  stop(): Promise<void>;
}

/**
 * A HAProxy before these APIs (host:port), which asks /readyz of each twice a second, and sends again only what reads or was not yet sent. It
 * takes none out for one slow answer, as all are slow when the machine is, and gives one that has just begun its share
 * within 5 s; where none is ready, as Temporal is away, each still answers what it knows.
 */
export async function startBalancer(folder: string, apis: string[]): Promise<Balancer> {
  const port = await ownPort();
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configOf(port, apis));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      reject(new Error('The soak needs the program haproxy (apt-get install haproxy)', { cause }));
    });
    child.once('exit', (code) => {
      reject(new Error(`haproxy ended with ${code}:\n${said}`));
    });
  });
  const ready = eventually(async () => {
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
    if (status !== 200) throw new Error(`the balancer answered ${status}`);
  });
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
  return {
    port,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const configOf = (port: string, apis: string[]): string => `global
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 130s
  timeout server 130s
  timeout check 2s
  timeout http-keep-alive 60s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  http-reuse safe
frontend front
  bind 127.0.0.1:${port}
  http-request disable-l7-retry if METH_POST
  default_backend apis
backend apis
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  option allbackups
${apis.map((address, n) => `  server api${n + 1} ${address} check inter 500 fall 3 rise 1 slowstart 5s`).join('\n')}
${apis.map((address, n) => `  server unready${n + 1} ${address} backup`).join('\n')}
`;
