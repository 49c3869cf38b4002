import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { trial } from './support/trial.js';
import { World } from './support/world.js';

/** Where Debian's package faketime puts its library: /usr/lib/<architecture>/faketime. */
const LIBRARIES = '/usr/lib';

describe('A clock that jumps', function () {
  this.timeout(180_000);
  let world: World;
  let folder: string;
  let api: Clock;
  let worker: Clock;
  before(async function () {
    this.timeout(600_000);
    folder = await mkdtemp(join(tmpdir(), 'faults-clock-'));
    [api, worker] = [await clock(folder, 'api'), await clock(folder, 'worker')];
    world = await World.start({ apis: [api.settings, {}], workers: [worker.settings] });
  });
  after(async () => {
    await world.stop();
    await rm(folder, { recursive: true });
  });

  for (const [whose, offset] of [
    ['API', '+10m'],
    ['API', '-10m'],
    ['worker', '+10m'],
    ['worker', '-10m'],
  ] as const) {
    it(`by ${offset}, that of the ${whose}'s host, loses nothing`, async () => {
      const own = whose === 'API' ? api : worker;
      const jump = async () => {
        await own.jump(offset);
        if (whose === 'worker') return;
        await shows(world.apis[0]!.url, offset);
        // What Temporal can't be asked, the API has to know by itself.
        await world.killTemporalFor(5);
      };
      await trial(world, `clock: ${whose}'s jumps by ${offset}`, jump, { at: 50 });
      await own.jump('+0');
    });
  }
});

/** Whoever asks the API sees its clock; Node makes the header anew once a second. */
const shows = (url: string, offset: string): Promise<void> =>
  eventually(async () => {
    const { headers } = await fetch(`${url}/livez`);
    const ahead = Math.round((Date.parse(headers.get('date') ?? '') - Date.now()) / 60_000);
    assert.equal(ahead, Number.parseInt(offset), 'minutes ahead');
  });

interface Clock {
  /** Of a program that goes by it. */
  settings: Record<string, string>;
  /** Changes it at once, as of the true time. */
  jump(offset: string): Promise<void>;
}

/** A clock of its own for a program: libfaketime answers in place of the system, and reads the offset again each time. */
async function clock(folder: string, name: string): Promise<Clock> {
  const file = join(folder, name);
  const jump = (offset: string) => writeFile(file, offset);
  await jump('+0');
  return {
    jump,
    settings: {
      LD_PRELOAD: await findLibrary(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // A host's jump leaves the clock that timers go by as it is.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}

async function findLibrary(): Promise<string> {
  const names = (await readdir(LIBRARIES)).map((name) => join(LIBRARIES, name, 'faketime'));
  for (const path of names) {
    const files: string[] = await readdir(path).catch(() => []);
    if (files.includes('libfaketimeMT.so.1')) return join(path, 'libfaketimeMT.so.1');
  }
  throw new Error("These tests need libfaketime: install Debian's package faketime (apt-get install faketime).");
}
