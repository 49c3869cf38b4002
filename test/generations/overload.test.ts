import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { createOverload, type Overload } from '../../src/generations/overload.js';
import { itemTaskId } from '../../src/contract/names.js';
import { createStart } from '../../src/generations/start.js';
import { createStartBatch } from '../../src/generations/start-batch.js';
import { keyedTaskId, newBatchId } from '../../src/generations/task-id.js';
import { bare, quiet, UNLIMITED, useLedger } from './support.js';

/** Nobody listens there: a start that is not refused fails by that. */
const NOWHERE = '127.0.0.1:1';
/** Longer than a task may wait for its first step. */
const LONG_S = 6;
const MANY_OWNERS = 10;
const MANY_TASKS = 20;

describe('A service that has too much to do', () => {
  const on = useLedger();
  let connection: Connection;
  let overload: Overload;

  before(() => {
    connection = Connection.lazy({ address: NOWHERE });
  });
  after(() => connection.close());
  beforeEach(async () => {
    await on.db.query('DELETE FROM starts');
    overload = createOverload({ ledger: on.ledger, log: quiet });
  });

  /** Tasks that were started so long ago and had no step yet. */
  async function wait(owners: string[], seconds: number): Promise<string[]> {
    const tasks = owners.map(() => randomUUID());
    for (const [n, owner] of owners.entries()) await on.ledger.admit({ owner, taskId: tasks[n]!, limits: UNLIMITED });
    await on.db.query(`UPDATE starts SET started_at = started_at - $1 * interval '1 second' WHERE task_id = ANY($2)`, [
      seconds,
      tasks,
    ]);
    return tasks;
  }

  const others = (count: number): string[] => Array.from({ length: count }, (_, n) => `other-${n}`);
  const begin = (taskId: string) =>
    on.ledger.beginGeneration({ taskId, owner: 'any', manualPrompt: 'p', createdAt: new Date() });
  const lookAgain = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) await overload.look();
  };

  /** How many starts of an owner are not refused until the next look, of so many. */
  const passOf = (owner: string, starts: number): number =>
    Array.from({ length: starts }, () => overload.refuses(owner)).filter((isRefused) => !isRefused).length;

  const start = (request: { idempotencyKey?: string } = {}) => {
    const deps = {
      client: new Client({ connection }),
      ledger: on.ledger,
      log: quiet,
      taskQueue: 'none',
      limits: UNLIMITED,
      assignKey: () => Promise.reject(new Error('came to its start')),
      modelId: () => undefined,
    };
    return createStart(deps, overload)({ owner: 'ann', manualPrompt: 'p', requestId: 'r', ...request });
  };

  it('lets half as many start with each look, and at last one', async () => {
    assert.equal(passOf('ann', 50), 50);
    await wait(others(MANY_OWNERS), LONG_S);
    const passed: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await overload.look();
      passed.push(passOf('ann', 50));
    }
    assert.deepEqual(passed, [25, 12, 6, 3, 1, 1]);
  });

  it('lets as many start as before while those that wait become fewer', async () => {
    assert.equal(passOf('ann', 50), 50);
    const waiting = await wait(others(2 * MANY_OWNERS), LONG_S);
    const passed: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      await overload.look();
      passed.push(passOf('ann', 50));
      await begin(waiting[n]!);
    }
    assert.deepEqual(passed, [25, 25, 25]);
  });

  it('lets more and more start once the waiting ones had their first step, and all in the end', async () => {
    const waiting = await wait(others(MANY_OWNERS), LONG_S);
    await overload.look();
    for (const taskId of waiting) await begin(taskId);
    await overload.look();
    assert.equal(passOf('ann', 50), 2);
    await overload.look();
    assert.equal(passOf('ann', 50), 3);
    await lookAgain(20);
    assert.equal(passOf('ann', 1_000), 1_000);
  });

  it('lets half as many start while the process itself is late, whoever waits; not where it starts only a few', async () => {
    let lagMs = 600;
    overload = createOverload({ ledger: on.ledger, log: quiet, lagMs: () => lagMs });
    assert.equal(passOf('ann', 4), 4);
    await overload.look();
    assert.equal(passOf('ann', 50), 50, 'what makes it late are not starts');
    await overload.look();
    assert.equal(passOf('ann', 50), 25);
    await overload.look();
    assert.equal(passOf('ann', 50), 12);
    lagMs = 20;
    await overload.look();
    assert.equal(passOf('ann', 50), 15);
  });

  it('tells who is refused when to try again, and counts no start', async () => {
    await wait(others(MANY_OWNERS), LONG_S);
    await overload.look();
    assert.equal(passOf('ann', 1), 1);
    for (const request of [{}, { idempotencyKey: randomUUID() }]) {
      const refused = await start(request);
      assert.ok(refused.outcome === 'overloaded' && !refused.byOwner, refused.outcome);
      assert.ok(refused.retryAfterMs >= 2_000 && refused.retryAfterMs <= 20_000, `${refused.retryAfterMs} ms`);
    }
    const rows = await on.db.query("SELECT 1 FROM starts WHERE owner = 'ann'");
    assert.equal(rows.length, 0, 'a refused start takes no place within the limits');
    await overload.look();
    assert.deepEqual(bare(await start()), { outcome: 'unavailable' }, 'it came to its start');
  });

  it('has not where whoever came later had its first step: what waits was lost', async () => {
    await wait(others(MANY_OWNERS), LONG_S);
    const [later] = await wait(['bob'], 1);
    await begin(later!);
    await overload.look();
    assert.equal(passOf('ann', 50), 50);
  });

  it('has, though whoever came later was given the prompt that there was, or ended before the first step', async () => {
    await wait(others(MANY_OWNERS), LONG_S);
    const [served, terminated] = await wait(['bob', 'bob'], 1);
    await on.db.query(
      `INSERT INTO generations (task_id, owner, manual_prompt, cached_from, status, prompt, generated_by_ai, tokens_charged, created_at, ended_at)
       VALUES ($1, 'bob', 'p', 'another', 'completed', 'You are kind.', true, 0, now(), now())`,
      [served],
    );
    const end = { status: 'failed', failure: { code: 'cancelled' } } as const;
    await on.ledger.endGeneration({ taskId: terminated!, owner: 'bob', end });
    passOf('ann', 50);
    await overload.look();
    assert.equal(passOf('ann', 50), 25);
  });

  it('starts nothing more of the one owner whose tasks wait, and those of others', async () => {
    await wait(Array<string>(MANY_TASKS).fill('ann'), LONG_S);
    await overload.look();
    const refused = await start();
    assert.ok(refused.outcome === 'overloaded' && refused.byOwner);
    assert.equal(passOf('bob', 50), 50);
  });

  it('tells of a task that a key started before', async () => {
    const [begun, queued] = [randomUUID(), randomUUID()];
    const taskId = keyedTaskId('ann', begun);
    await on.ledger.admit({ owner: 'ann', taskId: keyedTaskId('ann', queued), limits: UNLIMITED });
    await on.ledger.admit({ owner: 'ann', taskId, limits: UNLIMITED });
    await begin(taskId);
    await on.db.query("UPDATE starts SET started_at = started_at - interval '10 seconds'");
    await wait(others(MANY_OWNERS), LONG_S);
    await overload.look();
    passOf('ann', 1);
    assert.deepEqual(bare(await start({ idempotencyKey: begun })), { outcome: 'existing', taskId });
    // Temporal knows of that one, which is not there in this test.
    assert.deepEqual(bare(await start({ idempotencyKey: queued })), { outcome: 'unavailable' });
  });

  it('counts items of batches that wait, starts no batch of more than may start, and tells of one that a key started', async () => {
    const deps = {
      client: new Client({ connection }),
      ledger: on.ledger,
      log: quiet,
      taskQueue: 'none',
      limits: UNLIMITED,
      assignKey: () => Promise.reject(new Error('came to its start')),
    };
    const startBatch = createStartBatch({ ...deps, now: Date.now }, overload);
    const request = { owner: 'ann', manualPrompts: Array<string>(MANY_TASKS).fill('p'), requestId: 'r' };
    const known = { ...request, idempotencyKey: randomUUID() };
    assert.equal((await startBatch(known)).outcome, 'unavailable', 'its rows are there, and wait');
    await on.db.query("UPDATE starts SET started_at = started_at - interval '10 seconds'");
    await overload.look();
    assert.equal((await startBatch(request)).outcome, 'overloaded', 'its own tasks wait');
    const ofOthers = await startBatch({ ...request, owner: 'bob', idempotencyKey: randomUUID() });
    assert.equal(ofOthers.outcome, 'unavailable', 'those of others do not');
    await wait(others(MANY_OWNERS), LONG_S);
    await overload.look();
    assert.equal((await startBatch({ ...request, owner: 'bob' })).outcome, 'overloaded');
    assert.equal((await startBatch({ ...request, owner: 'bob', idempotencyKey: randomUUID() })).outcome, 'overloaded');
    const taskId = newBatchId('ann', known.idempotencyKey);
    await begin(itemTaskId(taskId, 0));
    assert.deepEqual(bare(await startBatch(known)), { outcome: 'existing', taskId });
  });

  it('has not where few wait, or for a moment, or since very long ago, or gave their places back', async () => {
    await wait([...others(MANY_OWNERS - 1), ...others(1)], LONG_S);
    // However slow this test is, those have not waited for long.
    await wait(others(MANY_OWNERS), -60);
    await wait(others(MANY_OWNERS), 120);
    const taken = await wait(others(MANY_OWNERS), LONG_S);
    for (const taskId of taken) await on.ledger.withdraw(taskId);
    await overload.look();
    assert.equal(passOf('ann', 50), 50);
    const counts = await on.ledger.countWaiting({ forMs: 2_000, atMost: 3 });
    assert.deepEqual(
      counts.map(({ waiting, inTurn }) => [waiting, inTurn]),
      [
        [2, true],
        [1, true],
        [1, true],
      ],
      'the most first',
    );
    await wait(['one more'], LONG_S);
    await overload.look();
    assert.equal(passOf('ann', 50), 25);
  });

  it('stays as it is while the ledger is away, and the log says why', async () => {
    await wait(others(MANY_OWNERS), LONG_S);
    const lines: string[] = [];
    let isAway = false;
    overload = createOverload({
      ledger: {
        countWaiting: (query) => (isAway ? Promise.reject(new Error('ECONNREFUSED')) : on.ledger.countWaiting(query)),
      },
      log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    });
    await overload.look();
    assert.equal(passOf('ann', 50), 1);
    isAway = true;
    await overload.look();
    assert.equal(passOf('ann', 50), 1);
    assert.match(lines[0] ?? '', /"waiting":10,.*more is asked for than can be done/);
    assert.match(lines[1] ?? '', /could not be asked how many tasks wait/);
  });
});
