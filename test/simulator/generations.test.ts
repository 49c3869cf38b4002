import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isBatchEnded } from '../../src/contract/batch.js';
import { isEnded } from '../../src/contract/snapshot.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';
import { asOwner, bare } from '../generations/support.js';
import { assertFinished } from '../support/assert-finished.js';
import { BY } from '../support/by.js';
import { eventually } from '../support/eventually.js';
import { assertInvariants } from '../ledger/invariants.js';
import { found, useSimulator } from './support/simulator.js';

describe('The simulator', () => {
  const on = useSimulator();

  it('cuts the connection of whoever asks for, cancels, repeats or waits for an offline task, and of nobody else', async () => {
    const owner = await on.owner();
    on.scenario = 'offline';
    const start = { owner, manualPrompt: 'x', idempotencyKey: 'k', requestId: 'r' };
    const started = await on.generations.start(start);
    assert.ok(started.outcome === 'started');
    const task = { taskId: started.taskId, owner, caller: asOwner(owner) };
    for (const at of [10, 30, 50]) {
      await on.next(task);
      assert.equal(found(await on.status(task)).snapshot.progress, at);
    }
    const waiting = on.generations.waitForEnd(task.taskId, task.caller, 60_000);
    assert.equal(on.cuts, 0);
    await on.next(task);
    assert.equal(on.cuts, 1, 'the connection of the one who waits');
    assert.equal((await on.status(task)).outcome, 'unavailable');
    assert.equal((await on.generations.cancel(task.taskId, task.caller)).outcome, 'unavailable');
    assert.equal((await on.generations.start(start)).outcome, 'unavailable');
    assert.equal(on.cuts, 4);
    const list = await on.generations.list(owner, { limit: 10 });
    assert.ok(list.outcome === 'listed' && list.generations.length === 1, 'a list is of no single task');
    assert.equal((await on.generations.status(task.taskId, asOwner('somebody else'))).outcome, 'not_found');
    assert.equal(on.cuts, 4);
    assert.equal(found((await on.watch(task)).at(-1)).snapshot.status, 'completed');
    assert.equal((await waiting).outcome, 'ended');
  });

  it('leads batches, each item as its own text says, and refuses those with a text that is refused', async () => {
    const owner = await on.owner();
    const caller = asOwner(owner);
    const { batches } = on.generations;
    const start = async (...manualPrompts: string[]) => {
      const result = await batches.start({
        owner,
        manualPrompts,
        idempotencyKey: manualPrompts.join(),
        requestId: 'r',
      });
      return 'taskId' in result ? result.taskId : assert.fail(result.outcome);
    };
    const read = async (batchId: string) => {
      const status = await batches.status(batchId, caller);
      return status.outcome === 'found' ? status.batch : assert.fail(status.outcome);
    };
    const untilEnded = (batchId: string) =>
      eventually(
        async () => {
          on.time.pass();
          assert.ok(isBatchEnded(await read(batchId)));
        },
        { everyMs: 1 },
      );
    const batchId = await start('fast shoes', 'internal shoes');
    assert.equal((await read(batchId)).status, 'queued');
    assert.equal(await start('fast shoes', 'internal shoes'), batchId);
    await untilEnded(batchId);
    const { items, message } = await read(batchId);
    assert.deepEqual(
      [message, items.map(({ error_code }) => error_code)],
      ['1 of 2 prompts generated', [undefined, 'internal']],
    );
    const slow = await start('slow shoes', 'slow hats');
    assert.equal((await batches.cancel(slow, caller)).outcome, 'requested');
    await untilEnded(slow);
    assert.equal((await read(slow)).status, 'failed');
    assert.equal((await batches.cancel(slow, caller)).outcome, 'nothing_to_do');
    assert.equal((await batches.cancel(slow, asOwner('somebody else'))).outcome, 'not_found');
    await assertInvariants(on.db, owner);

    const refused = batches.start({ owner, manualPrompts: ['fast shoes', '429'], requestId: 'r' });
    assert.equal((await refused).outcome, 'limited');
    await assert.rejects(batches.start({ owner, manualPrompts: ['503'], requestId: 'r' }), { code: 'unavailable' });
  });

  it('knows nothing of an expired task any more, and starts it anew under its key', async () => {
    const owner = await on.owner();
    on.scenario = 'expired';
    const start = { owner, manualPrompt: 'x', idempotencyKey: 'k', requestId: 'r' };
    const started = await on.generations.start(start);
    assert.ok(started.outcome === 'started');
    const { taskId } = started;
    const task = { taskId, owner, caller: asOwner(owner) };
    assert.equal((await on.generations.start(start)).outcome, 'existing');
    assert.equal((await on.watch(task)).at(-1)?.outcome, 'not_found');
    assert.equal((await on.generations.cancel(taskId, task.caller)).outcome, 'not_found');
    assert.equal((await on.generations.waitForEnd(taskId, task.caller, 1_000)).outcome, 'not_found');
    const { quota, ...anew } = await on.generations.start(start);
    assert.deepEqual(anew, { outcome: 'started', taskId });
    assert.ok(quota, 'it is counted as any other');
  });

  it('erases an owner at once, running tasks and their keys with the rest', async () => {
    const owner = await on.owner();
    on.scenario = 'slow';
    const start = { owner, manualPrompt: 'x', idempotencyKey: 'k', requestId: 'r' };
    const started = await on.generations.start(start);
    assert.ok(started.outcome === 'started');
    const erasure = assertFinished(await on.generations.eraseOwner(owner, BY, 1_000));
    assert.equal(erasure.erased.starts, 1);
    assert.equal((await on.generations.status(started.taskId, asOwner(owner))).outcome, 'not_found');
    assert.deepEqual(bare(await on.generations.start(start)), { outcome: 'erased' });
  });

  it('refuses a start as if the owner had started too many', async () => {
    on.scenario = '429';
    const result = await on.generations.start({ owner: 'ann', manualPrompt: 'x', requestId: 'r' });
    assert.ok(result.outcome === 'limited', result.outcome);
    assert.deepEqual([result.limit, result.retryAfterMs, result.quota.starts], ['starts', 2_000, 0]);
    assert.equal(on.time.resting, 0);
  });

  it('holds an owner to the limits, as the service does', async () => {
    on.renew(undefined, { startsPerMinute: 60, runningTasks: 1 });
    const owner = await on.owner();
    const task = await on.start('fast', { owner });
    const start = () => on.generations.start({ owner, manualPrompt: 'x', requestId: 'r' });
    const refused = await start();
    assert.equal(refused.outcome === 'limited' && refused.limit, 'running');
    await on.endOf(task);
    assert.equal((await start()).outcome, 'started');
  });

  it('refuses a start as the scenario says, and starts nothing', async () => {
    for (const scenario of SCENARIOS) {
      if (!('refusedAs' in scenario)) continue;
      if (scenario.refusedAs === 'rate_limited') continue;
      await assert.rejects(on.start(scenario.name), { name: 'ApiError', code: scenario.refusedAs });
    }
    assert.equal(on.time.resting, 0);
  });

  it('makes one task of equal starts with one key, while it runs and after its end', async () => {
    const owner = await on.owner();
    const start = (manualPrompt: string, by = owner) =>
      on.generations.start({ owner: by, manualPrompt, idempotencyKey: 'k', requestId: 'r' });
    const results = await Promise.all([start('same'), start('same'), start('same')]);
    assert.deepEqual(results.map(({ outcome }) => outcome).sort(), ['existing', 'existing', 'started']);
    assert.equal(new Set(results.map((result) => ('taskId' in result ? result.taskId : ''))).size, 1);
    assert.equal((await start('other')).outcome, 'key_reused');
    const [first] = results;
    assert.ok('taskId' in first);
    await on.watch({ taskId: first.taskId, owner, caller: asOwner(owner) });
    assert.deepEqual(bare(await start('same')), { outcome: 'existing', taskId: first.taskId });
    assert.equal((await start('other')).outcome, 'key_reused');
    assert.equal((await on.moneyOf(owner)).charges.length, 1);
    assert.equal((await start('same', await on.owner())).outcome, 'started', "another owner's key is another key");
  });

  it('takes equal work for its own where that is asked for: the task that is at it, then its prompt', async () => {
    const owner = await on.owner();
    const ask = () => on.generations.start({ owner, manualPrompt: 'same', requestId: 'r', reuse: true });
    const started = await ask();
    assert.ok(started.outcome === 'started');
    const { taskId } = started;
    assert.deepEqual(bare(await ask()), { outcome: 'joined', taskId });
    await on.watch({ taskId, owner, caller: asOwner(owner) });
    const cached = await ask();
    assert.ok(cached.outcome === 'cached');
    const status = await on.generations.status(cached.taskId, asOwner(owner));
    assert.ok(status.outcome === 'found' && status.snapshot.status === 'completed' && status.snapshot.cached);
    assert.equal((await on.moneyOf(owner)).charges.length, 1);
  });

  it('tells the same request from another one also where the first was cancelled at once', async () => {
    const owner = await on.owner();
    const start = (manualPrompt: string) =>
      on.generations.start({ owner, manualPrompt, idempotencyKey: 'k', requestId: 'r' });
    const started = await start('same');
    assert.ok(started.outcome === 'started');
    const task = { taskId: started.taskId, owner, caller: asOwner(owner) };
    await on.generations.cancel(task.taskId, task.caller);
    await on.watch(task);
    assert.equal((await start('same')).outcome, 'existing');
    assert.equal((await start('other')).outcome, 'key_reused');
  });

  it('shows a task to its owner and to the bearer of its cookie alone', async () => {
    const task = await on.start('normal');
    const { taskId, owner } = task;
    const startedAt = new Date().toISOString();
    for (const moment of ['running', 'ended']) {
      const other = asOwner(await on.owner());
      assert.equal((await on.generations.status(taskId, other)).outcome, 'not_found', moment);
      assert.equal((await on.generations.cancel(taskId, other)).outcome, 'not_found', moment);
      assert.equal((await on.generations.waitForEnd(taskId, other, 1_000)).outcome, 'not_found', moment);
      found(await on.generations.status(taskId, { kind: 'task', taskId, owner, startedAt }));
      await on.watch(task);
    }
    for (const id of [randomUUID(), 'no-id', '']) {
      assert.equal((await on.generations.status(id, task.caller)).outcome, 'not_found', id);
    }
  });

  it('ends a cancelled task as cancelled at any step, once, and charges nothing', async () => {
    for (const step of [0, 10, 30, 50, 70, 90]) {
      const task = await on.start('normal');
      while (found(await on.status(task)).snapshot.progress < step) await on.next(task);
      const first = await on.generations.cancel(task.taskId, task.caller);
      assert.ok(first.outcome === 'requested' && !isEnded(first.status.snapshot));
      const again = await on.generations.cancel(task.taskId, task.caller);
      assert.equal(again.outcome, 'nothing_to_do');
      const end = await on.endOf(task);
      assert.ok(end.status === 'failed' && end.error_code === 'cancelled');
      const after = await on.generations.cancel(task.taskId, task.caller);
      assert.ok(after.outcome === 'nothing_to_do' && isEnded(after.status.snapshot));
      assert.deepEqual(await on.moneyOf(task.owner), { balance: 10_000, held: 0, available: 10_000, charges: [] });
      await assertInvariants(on.db, task.owner);
    }
  });

  it('lets wait for the end, as long as is asked', async () => {
    const task = await on.start('fast');
    assert.equal((await on.generations.waitForEnd(task.taskId, task.caller, 1)).outcome, 'still_running');
    const waiting = on.generations.waitForEnd(task.taskId, task.caller, 60_000);
    const end = await on.endOf(task);
    assert.deepEqual(await waiting, { outcome: 'ended', snapshot: end });
    assert.deepEqual(await on.generations.waitForEnd(task.taskId, task.caller, 60_000), {
      outcome: 'ended',
      snapshot: end,
    });
  });

  it('breaks off what runs when it stops', async () => {
    const task = await on.start('slow');
    await on.next(task);
    await on.generations.stop();
    assert.equal(on.time.resting, 0);
    assert.equal((await on.ledger.getGeneration(task.taskId))?.ended ?? null, null);
  });
});
