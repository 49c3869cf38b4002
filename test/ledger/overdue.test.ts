import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createReconcile } from '../../src/activities/reconcile.js';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { TaskOfOwner } from '../../src/ledger/types.js';
import { BY } from '../support/by.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

onEachDatabase('What broken-off runs leave behind', (on) => {
  const owner = async (): Promise<string> => {
    const name = randomUUID();
    await on.ledger.putAccount(name, { subscription: { status: 'active' } }, BY);
    await on.ledger.grant({ owner: name, tokens: 5_000, reason: 'test', key: 'k', by: BY });
    return name;
  };
  const hold = (name: string, ttlMs: number) => {
    const taskId = randomUUID();
    return on.ledger.hold({ holdId: taskId, taskId, owner: name, minimum: 700, wanted: 1_000, ttlMs });
  };
  /** A task whose run started that long ago. */
  const begin = async (name: string, agoMs: number): Promise<TaskOfOwner> => {
    const task = { taskId: randomUUID(), owner: name };
    await on.ledger.beginGeneration({ ...task, manualPrompt: 'x', createdAt: new Date(Date.now() - agoMs) });
    return task;
  };
  const end = (task: TaskOfOwner) =>
    on.ledger.endGeneration({ ...task, end: { status: 'failed', failure: { code: 'timed_out' } } });
  const reconcile = (lookAt: (task: TaskOfOwner) => Promise<unknown>, runs = 0) =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(
      createReconcile({ ledger: on.ledger, lookAt, deleteErasedRuns: () => Promise.resolve({ runs }) }),
    );

  it('are holds: those that expired are released, of every owner, and no other', async () => {
    const [ann, bob] = [await owner(), await owner()];
    // The one that has not expired comes first: taking a hold releases the owner's expired ones itself.
    await hold(bob, 60_000);
    for (const name of [ann, bob]) await hold(name, -1);
    assert.equal(await on.ledger.releaseExpiredHolds(), 2);
    assert.equal(await on.ledger.releaseExpiredHolds(), 0);
    const held = await on.db.query('SELECT owner, held FROM accounts WHERE owner = ANY ($1) AND held > 0', [
      [ann, bob],
    ]);
    assert.deepEqual(held, [{ owner: bob, held: 1_000 }]);
    for (const name of [ann, bob]) await assertInvariants(on.db, name);
  });

  it('are tasks without an end that are older than any run may be', async () => {
    const name = await owner();
    const [older, old, ended] = [await begin(name, 300_000), await begin(name, 200_000), await begin(name, 200_000)];
    await begin(name, 60_000);
    await end(ended);
    assert.deepEqual(await on.ledger.listOverdue({ olderThanMs: 120_000, limit: 10 }), [older, old]);
    assert.deepEqual(await on.ledger.listOverdue({ olderThanMs: 120_000, limit: 1 }), [older]);
    await Promise.all([older, old].map(end));
  });

  it('is looked at once a round, and the report says what that ended and what it could not', async () => {
    const name = await owner();
    const [broken, running] = [await begin(name, 200_000), await begin(name, 200_000)];
    await hold(name, -1);
    const seen: TaskOfOwner[] = [];
    const lookAt = async (task: TaskOfOwner) => {
      seen.push(task);
      if (task.taskId === broken.taskId) await end(task);
    };
    assert.deepEqual(await reconcile(lookAt, 2), { holdsReleased: 1, tasksEnded: 1, runsErased: 2, tasksLeft: 1 });
    assert.deepEqual(new Set(seen.map(({ taskId }) => taskId)), new Set([broken.taskId, running.taskId]));
    await end(running);
    assert.deepEqual(await reconcile(lookAt), { holdsReleased: 0, tasksEnded: 0, runsErased: 0, tasksLeft: 0 });
    assert.equal(seen.length, 2);
  });

  it('are starts of long ago, which nothing asks for any more', async () => {
    const [older, newer] = [randomUUID(), randomUUID()];
    const limits = { startsPerMinute: 5, runningTasks: 5 };
    for (const taskId of [older, newer]) await on.ledger.admit({ owner: 'ann', taskId, limits });
    await on.db.query("UPDATE starts SET started_at = now() - interval '8 days' WHERE task_id = $1", [older]);
    await reconcile(() => Promise.resolve());
    const left = await on.db.query('SELECT task_id FROM starts WHERE task_id = ANY ($1)', [[older, newer]]);
    assert.deepEqual(left, [{ task_id: newer }]);
  });

  it('is looked at whatever else of the round fails, which tells so', async () => {
    const [locked, free] = [await owner(), await owner()].sort() as [string, string];
    const broken = await begin(free, 200_000);
    for (const name of [locked, free]) await hold(name, -1);
    const db: Database = {
      ...on.db,
      transaction: (work, limits) =>
        on.db.transaction(
          (tx) =>
            work({
              ...tx,
              query: (text, params) =>
                params?.[0] === locked ? Promise.reject(new Error('locked')) : tx.query(text, params),
            }),
          limits,
        ),
    };
    const away = () => Promise.reject(new Error('away'));
    const ledger = { ...createLedger(db), forgetOldStarts: away, forgetOldTold: away };
    const round = createReconcile({ ledger, lookAt: end, deleteErasedRuns: away });
    await assert.rejects(new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(round), /locked/);
    const held = await on.db.query('SELECT owner FROM accounts WHERE held > 0 AND owner = ANY ($1)', [[locked, free]]);
    assert.deepEqual(held, [{ owner: locked }]);
    assert.ok((await on.ledger.getGeneration(broken.taskId))?.ended);
    await on.ledger.releaseExpiredHolds();
  });

  it('fails its round where a task cannot be looked at, so that Temporal tries again', async () => {
    const task = await begin(await owner(), 200_000);
    await assert.rejects(
      reconcile(() => Promise.reject(new Error('away'))),
      /away/,
    );
    await end(task);
  });
});
