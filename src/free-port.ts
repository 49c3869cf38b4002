import getPort, { portNumbers } from 'get-port';

/** Below those that systems give outgoing connections: one of them could take it before its listener does. */
const LAST = 32_767;
const FIRST = 10_000;

/** A port of the loopback that is free now, at random: others look for one at the same time. */
export async function freePort(): Promise<number> {
  const first = FIRST + Math.floor((Math.random() * (LAST - FIRST)) / 2);
  return getPort({ host: '127.0.0.1', port: portNumbers(first, LAST) });
}
