import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { createOverload } from '../../src/generations/overload.js';
import { createStart } from '../../src/generations/start.js';
import { quiet, useLedger } from './support.js';

/** Nobody listens there: a start that got so far as to ask Temporal would fail by that, much later. */
const NOWHERE = '127.0.0.1:1';

describe("A start whose owner's encryption key can not be had", () => {
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
  for (const [why, assignKey] of Object.entries(cases)) {
    it(`${why} is told as unavailable in time, and gives its place within the limits back`, async function () {
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
