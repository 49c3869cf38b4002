import { Agent, request } from 'node:http';

/** Lighter than fetch: the load shares its machine with what it loads. */
export interface Http {
  /** Rejects where no answer comes. */
  send(method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer>;
  close(): void;
}

export interface Answer {
  status: number;
  text: string;
  /** After how many ms to ask again, where the answer says so. */
  retryAfterMs?: number | undefined;
}

const ANSWER_LIMIT_MS = 15_000;
/** An idle connection is dropped before the balancer does, which takes 60 s: so no request is sent on one that is just being closed. */
const IDLE_MS = 30_000;

export function connectTo(port: string): Http {
  const agent = new Agent({ keepAlive: true, maxSockets: 500, timeout: IDLE_MS });
  return {
    send: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const type = body ? { 'Content-Type': 'application/json' } : {};
        const options = { agent, host: '127.0.0.1', port, method, path, headers: { ...headers, ...type } };
        const sent = request({ ...options, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => {
            const seconds = response.headers['retry-after'];
            const retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1_000;
            resolve({ status: response.statusCode ?? 0, text, retryAfterMs });
          });
          response.on('error', reject);
        });
        sent.on('error', reject);
        sent.end(body && JSON.stringify(body));
      }),
    close: () => {
      agent.destroy();
    },
  };
}
