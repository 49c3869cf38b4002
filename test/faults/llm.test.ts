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
    // These two wait all their time: meanwhile the others happen, one after the other.
    void ['hang', 'drip'].map((kind) => start(kind as Kind));
    for (const kind of KINDS) if (!trials.has(kind)) await start(kind).catch(() => undefined);
  });
  after(() => world.stop());

  for (const kind of KINDS) {
    it(`does '${kind}' ends every task in time, and costs what it must`, async () => {
      const tasks = await trials.get(kind);
      for (const { last } of tasks!)
        assert.deepEqual([last?.status, last?.generated_by_ai], ['completed', BY_AI[kind]]);
    });
  }
});
