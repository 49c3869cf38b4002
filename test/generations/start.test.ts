import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { createOverload } from '../../src/generations/overload.js';
import { createStart } from '../../src/generations/start.js';
import { createStartBatch } from '../../src/generations/start-batch.js';
import { quiet, useLedger } from './support.js';

/** Nobody listens there: a start that got so far as to ask Temporal would fail by that, much later. */
const NOWHERE = '127.0.0.1:1';

describe('A start', () => {
  const on = useLedger();
  let connection: Connection;

  before(() => {
    connection = Connection.lazy({ address: NOWHERE });
  });
  after(() => connection.close());

  const cases = {
    'as the database is away': () => Promise.reject(new Error('away')),
    'as nobody answers': () => new Promise<never>(() => undefined),
  };
  it('counts as none where its owner may start no more, while a service that is overloaded starts few', async () => {
    let givenBack = 0;
    const deps = {
      client: new Client({ connection }),
      ledger: on.ledger,
      log: quiet,
      taskQueue: 'none',
      limits: { startsPerMinute: 0, runningTasks: 1 },
      assignKey: () => Promise.reject(new Error('nothing is started')),
      modelId: () => undefined,
    };
    const overload = { ...createOverload(deps), giveBack: (starts = 1) => void (givenBack += starts) };
    const owner = randomUUID();
    assert.equal((await createStart(deps, overload)({ owner, manualPrompt: 'p', requestId: 'r' })).outcome, 'limited');
    assert.equal(givenBack, 1);
    const batch = { owner, manualPrompts: ['p', 'q'], requestId: 'r' };
    assert.equal((await createStartBatch({ ...deps, now: Date.now }, overload)(batch)).outcome, 'limited');
    assert.equal(givenBack, 3);
  });

  for (const [why, assignKey] of Object.entries(cases)) {
    it(`whose owner's encryption key can not be had, ${why}, is told as unavailable in time, and gives its place within the limits back`, async function () {
      this.timeout(10_000);
      const limits = { startsPerMinute: 1, runningTasks: 1 };
      const deps = {
        client: new Client({ connection }),
        ledger: on.ledger,
        log: quiet,
        taskQueue: 'none',
        limits,
        assignKey,
        modelId: () => undefined,
      };
      const start = createStart(deps, createOverload(deps));
      const owner = randomUUID();
      const request = { owner, manualPrompt: 'p', requestId: 'r' };
      const { outcome, quota } = await start(request);
      assert.equal(outcome, 'unavailable');
      assert.deepEqual([quota?.starts, quota?.running], [0, 0], 'it took the only place before');
      const next = await on.ledger.admit({ owner, taskId: randomUUID(), limits });
      assert.equal(next.outcome, 'admitted', 'the place is free again');
    });
  }
});
