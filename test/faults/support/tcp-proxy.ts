import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  address: string;
  /** Nothing passes any more, in either direction, and nobody is told: as a network does when a cable is pulled. */
  cut(): void;
  /** New connections pass again; those of before are broken off, as they lost what was sent meanwhile. */
  mend(): void;
  stop(): Promise<void>;
}

/** Stands between a program and the server it talks to. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let isCut = false;
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(target);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (data) => {
        if (!isCut) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        pairs.delete(pair);
        if (!isCut) to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const breakAll = () => {
    for (const socket of [...pairs].flat()) socket.destroy();
    pairs.clear();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => (isCut = true),
    mend: () => {
      breakAll();
      isCut = false;
    },
    stop: async () => {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
