import assert from 'node:assert/strict';
import { KINDS } from './support/faulty-llm.js';
import type { Task } from './support/judge.js';
import { trial } from './support/trial.js';
import { World } from './support/world.js';

type Kind = (typeof KINDS)[number];

/** Whether the AI's answer is delivered in the end; else the owner gets the fallback, for nothing. */
const BY_AI: Record<Kind, boolean> = {
  ok: true,
  hang: false,
  reset: true,
  drip: false,
  garbage: false,
  empty: false,
  length: true,
  filter: false,
  unauthorized: false,
  storm: true,
  huge: false,
};

const MEANWHILE: Kind[] = ['empty', 'length', 'filter', 'unauthorized'];
const ONE_BY_ONE = KINDS.filter((kind) => !['drip', 'hang', ...MEANWHILE].includes(kind));

describe('A model that', function () {
  this.timeout(180_000);
  let world: World;
  const trials = new Map<Kind, Promise<Task[]>>();
  before(async function () {
    this.timeout(600_000);
    world = await World.start();
    const start = (kind: Kind) => {
      const running = trial(world, `LLM: ${kind}`, () => Promise.resolve(), { text: () => `[${kind}]` });
      // Who waits for it is told; until then a failure is not an unhandled one.
      running.catch(() => undefined);
      trials.set(kind, running);
      return running;
    };
    // What waits all its time does so while the others happen, one after the other: those that work the machine hardest
    // before the first wait, as each has the time that is left to end its tasks in, and no more.
    for (const kind of ONE_BY_ONE) await start(kind).catch(() => undefined);
    void start('drip');
    for (const kind of MEANWHILE) await start(kind).catch(() => undefined);
    void start('hang');
  });
  after(() => world.stop());

  for (const kind of KINDS) {
    it(`does '${kind}' ends every task in time, and costs what it must`, async () => {
      const tasks = await trials.get(kind);
      for (const { last } of tasks!)
        assert.deepEqual([last?.error_code ?? last?.status, last?.generated_by_ai], ['completed', BY_AI[kind]]);
    });
  }
});
