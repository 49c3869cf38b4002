import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to send bytes on that no HTTP client would send. */
export interface RawConnection {
  socket: Socket;
  /** What the server has sent so far; bytes as latin1. */
  received(): string;
  /** Resolves with everything the server sent, once it has closed the connection. */
  closed: Promise<string>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  // A server that cuts a connection off may do so by a reset: that is its end, too.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      resolve(text);
    });
  });
  await once(socket, 'connect');
  return { socket, received: () => text, closed };
}

/** Sends these bytes and returns the whole answer, until the server closes: ask for that by `Connection: close`. */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const connection = await openRaw(url);
  connection.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return connection.closed;
}

/** GETs a path exactly as it is written. */
export function getRaw(url: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return sendRaw(url, `GET ${path} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`);
}

/** The status of a raw answer; 0 where there was none. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
