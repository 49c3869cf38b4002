import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { atStep, queuedSnapshot, type RunningSnapshot } from '../../src/contract/snapshot.js';
import type { Step } from '../../src/contract/steps.js';
import { createTold } from '../../src/generations/told.js';
import { onEachDatabase } from '../ledger/databases.js';
import { quiet } from './support.js';

const AT = '2026-11-24T08:00:00.000Z';

onEachDatabase('What two API processes tell of a running task', (on) => {
  const process = () => createTold({ ledger: on.ledger, log: quiet });
  /** A task after these steps, and in the state each of them left it. */
  const states = (...steps: Step[]): RunningSnapshot[] => {
    const all = [queuedSnapshot({ taskId: randomUUID(), owner: 'ann', createdAt: AT })];
    for (const step of steps) all.push(atStep(all.at(-1)!, step, AT));
    return all;
  };
  const again = (snapshot: RunningSnapshot): RunningSnapshot => ({ ...snapshot, repeated: true });

  it('is what either told last, also for one that was started since', async () => {
    const [one, other] = [process(), process()];
    const [queued, initializing, checking] = states('initializing', 'checkingTokens') as [
      RunningSnapshot,
      RunningSnapshot,
      RunningSnapshot,
    ];
    one.keepNewer({ snapshot: queued, asOf: AT });
    await one.tell(initializing, AT);
    await other.tell(checking, AT);
    for (const by of [one, other, process()])
      assert.equal((await by.last(queued.task_id)).state?.snapshot.progress, 30, 'the newest');
  });

  it('is the newest also where that was heard of while an older one was still being shared', async () => {
    const one = process();
    const [, initializing, checking] = states('initializing', 'checkingTokens');
    const telling = one.tell(initializing!, AT);
    one.keepNewer({ snapshot: checking!, asOf: AT });
    assert.equal((await telling)?.snapshot.progress, 30);
    assert.equal((await one.last(checking!.task_id)).state?.snapshot.progress, 30);
  });

  it('is what the other told meanwhile also where this one reads again what it read before', async () => {
    const [one, other] = [process(), process()];
    const [, initializing, checking] = states('initializing', 'checkingTokens');
    await one.tell(initializing!, AT);
    await other.tell(checking!, AT);
    assert.equal((await one.tell(initializing!, AT))?.snapshot.progress, 30);
  });

  it('is never an older state after a newer one, whose detail is of the moment', async () => {
    const one = process();
    const [, initializing, checking, generating] = states('initializing', 'checkingTokens', 'generating');
    await one.tell(generating!, AT);
    const told = await one.tell({ ...initializing!, detail: { waiting_for: 'worker' } }, AT);
    assert.deepEqual([told?.snapshot.progress, told?.snapshot.detail], [50, { waiting_for: 'worker' }]);
    await process().tell(checking!, AT);
    assert.equal((await process().last(checking!.task_id)).state?.snapshot.progress, 50);
  });

  it('goes on where an operator has a run begin again, until the task has ended', async () => {
    const [queued, initializing, checking] = states('initializing', 'checkingTokens');
    await process().tell(checking!, AT);
    assert.equal((await process().tell(again(initializing!), AT))?.snapshot.progress, 30);
    const end = { status: 'failed', failure: { code: 'internal' } } as const;
    await on.ledger.endGeneration({ taskId: queued!.task_id, owner: 'ann', end });
    assert.deepEqual(await process().last(queued!.task_id), { state: undefined, ended: true, certain: true });
    assert.equal(await process().tell(checking!, AT), null, 'the end may have been told');
    assert.equal((await process().tell(again(initializing!), AT))?.snapshot.progress, 10);
  });

  it('is forgotten where nobody did so at its end', async () => {
    const [queued, initializing] = states('initializing');
    await process().tell(initializing!, AT);
    await on.ledger.forgetOldTold(60_000);
    assert.equal((await process().last(queued!.task_id)).state, undefined);
  });

  it('is what each has told itself, and no more than that, while the ledger is away', async () => {
    const away = () => Promise.reject(new Error('away'));
    const alone = createTold({ ledger: { ...on.ledger, shareTold: away, newsOf: away }, log: quiet });
    const [queued, initializing] = states('initializing');
    assert.equal((await alone.tell(initializing!, AT))?.snapshot.progress, 10);
    const { state, certain } = await alone.last(queued!.task_id);
    assert.deepEqual([state?.snapshot.progress, certain], [10, false]);
  });

  it('is not taken for the newest once the ledger is back: others may have told more that they could not share', async () => {
    let isAway = false;
    const newsOf: typeof on.ledger.newsOf = (known) =>
      isAway ? Promise.reject(new Error('away')) : on.ledger.newsOf(known);
    const one = createTold({ ledger: { ...on.ledger, newsOf }, log: quiet });
    const [queued, initializing] = states('initializing');
    await one.tell(initializing!, AT);
    assert.ok(one.hasCaughtUp());
    isAway = true;
    await one.last(queued!.task_id);
    isAway = false;
    assert.equal((await one.last(queued!.task_id)).state?.snapshot.progress, 10);
    assert.ok(!one.hasCaughtUp());
  });
});
