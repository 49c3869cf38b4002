import assert from 'node:assert/strict';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { GenerationEnd } from '../../src/contract/snapshot.js';
import { createDataKeys } from '../../src/encryption/data-keys.js';
import { createMasterKeys } from '../../src/encryption/master-keys.js';
import { endGeneration } from '../../src/ledger/end-generation.js';
import { beginGeneration } from '../../src/ledger/generations.js';
import { TaskErased } from '../../src/ledger/task-erased.js';
import { quiet, richOwner, UNLIMITED } from '../generations/support.js';
import { BY } from '../support/by.js';
import { gate } from '../support/gate.js';
import { onEachDatabase } from './databases.js';
import { assertInvariants } from './invariants.js';

const WORD = 'zanzibar';
const COMPLETED: GenerationEnd = {
  status: 'completed',
  prompt: `You sell shoes of ${WORD}.`,
  generatedByAi: true,
  model: 'm',
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
};
const ERASED = { name: 'TaskErased' };

onEachDatabase('The data of an owner', (on) => {
  const admit = (owner: string, taskId: string) => on.ledger.admit({ owner, taskId, limits: UNLIMITED });
  const taskOf = (owner: string, taskId: string = randomUUID()) => ({
    taskId,
    owner,
    manualPrompt: `We sell shoes of ${WORD}.`,
    createdAt: new Date(),
  });
  const hold = (owner: string, taskId: string) =>
    on.ledger.hold({ holdId: taskId, taskId, owner, minimum: 700, wanted: 1_000, ttlMs: 60_000 });
  const end = (owner: string, taskId: string) => on.ledger.endGeneration({ taskId, owner, end: COMPLETED });
  /** A task that has come as far as that. */
  const begun = async (owner: string, steps: 'started' | 'begun' | 'held' | 'ended'): Promise<string> => {
    const { taskId, ...task } = taskOf(owner);
    await admit(owner, taskId);
    if (steps === 'started') return taskId;
    await on.ledger.beginGeneration({ taskId, ...task });
    if (steps === 'begun') return taskId;
    await hold(owner, taskId);
    if (steps === 'ended') await end(owner, taskId);
    return taskId;
  };
  /** Asks for an erasure and erases the database's part. */
  const erase = async (owner: string): Promise<string> => {
    const { erasure } = await on.ledger.requestErasure(owner, BY);
    await on.ledger.eraseData(erasure.id);
    return erasure.id;
  };
  const finish = async (owner: string): Promise<string> => {
    const id = await erase(owner);
    await on.db.query('UPDATE erased_tasks SET gone_at = now() WHERE erasure_id = $1', [id]);
    await on.ledger.finishErasure(id);
    return id;
  };
  /** Every row of every table, as text. */
  const everything = async (): Promise<string[]> => {
    const tables = await on.db.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
    );
    const rows = await Promise.all(
      tables.map(({ name }) => on.db.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)),
    );
    return rows.flat().map(({ row }) => row);
  };
  const balanceOf = async (owner: string) => (await on.ledger.getAccount(owner))!.tokens;

  it('is erased but for the money, and nobody else’s is', async () => {
    const [ann, bob] = [await richOwner(on.ledger), await richOwner(on.ledger)];
    const masterKeys = createMasterKeys([{ id: 'm', key: createSecretKey(randomBytes(32)) }]);
    const keys = createDataKeys(on.db, masterKeys, quiet);
    await keys.keyOf(ann);
    const { id: keyOfBob } = await keys.keyOf(bob);
    await keys.close();
    for (const steps of ['started', 'begun', 'held', 'ended'] as const) await begun(ann, steps);
    const tasksOfBob = [await begun(bob, 'held'), await begun(bob, 'ended')];
    const entries = await on.ledger.listEntries(ann, { limit: 10 });
    assert.equal((await balanceOf(ann)).held, 1_000);

    const erasure = await on.ledger.finishErasure(await erase(ann));
    assert.deepEqual(erasure?.erased, { keys: 1, generations: 3, starts: 4, workflowRuns: 0 });
    assert.deepEqual(erasure.kept, { ledgerEntries: 2 });
    const rows = await everything();
    const withWord = rows.filter((row) => row.includes(WORD));
    assert.equal(withWord.length, 2, 'the two rows of the other owner');
    assert.ok(
      withWord.every((row) => row.includes(bob)),
      'whose they are',
    );
    assert.deepEqual(await on.ledger.listEntries(ann, { limit: 10 }), entries);
    assert.deepEqual(await balanceOf(ann), { balance: 99_850, held: 0, available: 99_850 });
    assert.equal((await balanceOf(bob)).held, 1_000);
    for (const owner of [ann, bob]) await assertInvariants(on.db, owner);

    assert.deepEqual((await on.ledger.listGenerations(ann, { limit: 10 }))?.generations, []);
    const left = (await on.ledger.listGenerations(bob, { limit: 10 }))!.generations.map(({ taskId }) => taskId);
    assert.deepEqual(left.sort(), tasksOfBob.sort());
    const live = await on.db.query<{ key_id: string }>(
      'SELECT key_id FROM data_keys WHERE owner = ANY ($1) AND wrapped_key IS NOT NULL',
      [[ann, bob]],
    );
    assert.deepEqual(live, [{ key_id: keyOfBob }]);
    const [action] = (await on.ledger.listActions({ limit: 1, target: ann }))!.actions;
    assert.deepEqual([action?.action, action?.actor], ['erase_owner', BY.actor]);
    assert.deepEqual(action?.details, {
      erasure_id: erasure.id,
      keys: 1,
      generations: 3,
      starts: 4,
      ledger_entries_kept: 2,
    });
  });

  it('is not brought back, charged or held by a task that goes on, however far it was', async () => {
    for (const steps of ['started', 'begun', 'held', 'ended'] as const) {
      const owner = await richOwner(on.ledger);
      const taskId = await begun(owner, steps);
      await erase(owner);
      const before = await balanceOf(owner);
      await assert.rejects(on.ledger.beginGeneration(taskOf(owner, taskId)), ERASED, `initialize of one ${steps}`);
      await assert.rejects(hold(owner, taskId), ERASED, `checkTokens of one ${steps}`);
      await assert.rejects(end(owner, taskId), ERASED, `finalize of one ${steps}`);
      assert.equal((await admit(owner, taskId)).outcome, 'erased', `a start of one ${steps} under the same key`);
      assert.equal(await on.ledger.getGeneration(taskId), null);
      assert.deepEqual(await balanceOf(owner), before);
      await assertInvariants(on.db, owner);
    }
  });

  it('is erased, too, where there is no account, and there as well nothing comes back', async () => {
    const owner = randomUUID();
    const taskId = await begun(owner, 'begun');
    await erase(owner);
    await assert.rejects(on.ledger.beginGeneration(taskOf(owner, taskId)), ERASED);
    await assert.rejects(end(owner, taskId), ERASED);
    assert.equal(await on.ledger.getGeneration(taskId), null);
  });

  it('is erased with what a first step stores in the very moment', async () => {
    const owner = randomUUID();
    const task = taskOf(owner);
    await admit(owner, task.taskId);
    const { opened, open } = gate();
    const stored = gate();
    const storing = on.db.transaction(async (tx) => {
      await beginGeneration(tx, task);
      stored.open();
      await opened;
    });
    await stored.opened;
    const erasing = erase(owner);
    open();
    await Promise.all([storing, erasing]);
    assert.equal(await on.ledger.getGeneration(task.taskId), null);
  });

  it('is erased with what a last step stores in the very moment, and that is paid', async () => {
    const owner = await richOwner(on.ledger);
    const taskId = await begun(owner, 'held');
    const { opened, open } = gate();
    const stored = gate();
    const storing = on.db.transaction(async (tx) => {
      await endGeneration(tx, { taskId, owner, end: COMPLETED });
      stored.open();
      await opened;
    });
    await stored.opened;
    const erasing = erase(owner);
    open();
    await Promise.all([storing, erasing]);
    assert.equal(await on.ledger.getGeneration(taskId), null);
    assert.deepEqual(await balanceOf(owner), { balance: 99_850, held: 0, available: 99_850 });
    await assertInvariants(on.db, owner);
  });

  it('stays erased among many tasks that are on their way, each step of them either before or refused', async () => {
    const owner = await richOwner(on.ledger, 1_000_000);
    const onItsWay = async (): Promise<'done' | 'refused'> => {
      const task = taskOf(owner);
      try {
        await admit(owner, task.taskId);
        await on.ledger.beginGeneration(task);
        await hold(owner, task.taskId);
        await end(owner, task.taskId);
        return 'done';
      } catch (error) {
        if (error instanceof TaskErased) return 'refused';
        throw error;
      }
    };
    const early = Array.from({ length: 10 }, onItsWay);
    await Promise.race(early);
    const all = [...early, ...Array.from({ length: 30 }, onItsWay)];
    await erase(owner);
    const ends = await Promise.all(all);
    assert.equal(ends.length, 40);
    for (const table of ['generations', 'starts', 'open_holds']) {
      const back = await on.db.query(`SELECT 1 FROM ${table} JOIN erased_tasks USING (task_id) WHERE owner = $1`, [
        owner,
      ]);
      assert.equal(back.length, 0, `${table} of erased tasks`);
    }
    const kept = await on.db.query('SELECT 1 FROM generations WHERE owner = $1', [owner]);
    const counted = await on.db.query(
      'SELECT 1 FROM erased_tasks JOIN erasures e ON e.id = erasure_id WHERE owner = $1',
      [owner],
    );
    assert.equal(kept.length + counted.length, 40, 'a task is erased whole or was not there yet');
    await assertInvariants(on.db, owner);
  });

  it('does not come with a run from before whose start could not be written down; a later one begins', async () => {
    const owner = await richOwner(on.ledger);
    const old = taskOf(owner);
    const id = await finish(owner);
    await assert.rejects(on.ledger.beginGeneration({ ...old, createdAt: new Date(Date.now() - 5_000) }), ERASED);
    assert.equal(await on.ledger.getGeneration(old.taskId), null);
    assert.deepEqual(await on.ledger.listErasedTasks({ erasureId: id, limit: 10 }), [old.taskId], 'its run is deleted');

    // Temporal's clock may be behind the database's.
    const late = taskOf(owner);
    await admit(owner, late.taskId);
    await on.ledger.beginGeneration({ ...late, createdAt: new Date(Date.now() - 5_000) });
    const unlimited = { ...taskOf(owner), createdAt: new Date(Date.now() + 5_000) };
    await on.ledger.beginGeneration(unlimited);
    const left = (await on.ledger.listGenerations(owner, { limit: 10 }))!.generations.map(({ taskId }) => taskId);
    assert.deepEqual(left.sort(), [late.taskId, unlimited.taskId].sort());
  });

  it('has one erasure at a time, whoever asks for it, and the next once that has finished', async () => {
    const owner = await richOwner(on.ledger);
    assert.equal(await on.ledger.getErasure(owner), null);
    const asked = await Promise.all(Array.from({ length: 5 }, () => on.ledger.requestErasure(owner, BY)));
    assert.equal(asked.filter(({ isNew }) => isNew).length, 1);
    assert.equal(new Set(asked.map(({ erasure }) => erasure.id)).size, 1);
    const first = await finish(owner);
    assert.equal(first, asked[0]!.erasure.id);
    assert.ok((await on.ledger.getErasure(owner))?.finishedAt, 'it has finished');
    const second = await finish(owner);
    assert.notEqual(second, first);
    assert.equal((await on.ledger.getErasure(owner))?.id, second);
  });

  it('is erased once by an erasure, however often its step runs, and a request is taken back only before', async () => {
    const owner = await richOwner(on.ledger);
    const { erasure } = await on.ledger.requestErasure(owner, BY);
    await on.ledger.withdrawErasure(erasure.id);
    await on.ledger.eraseData(erasure.id);
    assert.equal(await on.ledger.finishErasure(erasure.id), null, 'there is none');
    await begun(owner, 'ended');
    const id = await erase(owner);
    await on.ledger.withdrawErasure(id);
    const later = await begun(owner, 'ended');
    await on.ledger.eraseData(id);
    assert.equal((await on.ledger.getErasure(owner))?.erased.generations, 1);
    assert.ok(await on.ledger.getGeneration(later), 'what came later is not of this erasure');
    const { actions } = (await on.ledger.listActions({ limit: 10, target: owner }))!;
    assert.equal(actions.filter(({ action }) => action === 'erase_owner').length, 1);
  });

  it('counts the runs of Temporal as they are found, and waits for one that may still be started', async () => {
    const owner = await richOwner(on.ledger);
    const [old, young] = [await begun(owner, 'ended'), await begun(owner, 'started')];
    const erasureId = await erase(owner);
    const left = () => on.ledger.listErasedTasks({ erasureId, limit: 10 });
    const note = (taskId: string, runs: number) => on.ledger.noteErasedRuns([{ taskId, runs }]);
    assert.deepEqual(await left(), [old, young].sort());
    await note(old, 2);
    await note(old, 2);
    await note(young, 0);
    assert.deepEqual(await left(), [old, young].sort(), 'none of them is gone');
    await note(old, 0);
    assert.deepEqual(await left(), [young]);
    await on.db.query("UPDATE erased_tasks SET may_start_until = now() - interval '1 s' WHERE task_id = $1", [young]);
    await note(young, 0);
    assert.deepEqual(await left(), []);
    const receipt = await on.ledger.finishErasure(erasureId);
    assert.equal(receipt?.erased.workflowRuns, 2);

    // One that runs after all is to be deleted after all, by the reconciler.
    await assert.rejects(on.ledger.beginGeneration(taskOf(owner, young)), ERASED);
    assert.ok((await on.ledger.listErasedTasks({ limit: 1_000 })).includes(young), 'the reconciler is told of it');
  });
});
