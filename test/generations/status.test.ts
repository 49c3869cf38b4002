import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { fallbackEnd } from '../../src/contract/fallback.js';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { atStep, queuedSnapshot, type GenerationEnd, type Snapshot } from '../../src/contract/snapshot.js';
import { createStatus } from '../../src/generations/status.js';
import type { Caller } from '../../src/generations/types.js';
import { byAi } from '../support/ends.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { asOwner, quiet, richOwner, useLedger } from './support.js';

const FAILED: GenerationEnd = { status: 'failed', failure: { code: 'internal' } };

describe('A status', () => {
  const on = useLedger();

  /** An API process whose Temporal answers queries so, and nothing else. */
  const process = (query: () => Promise<Snapshot>, ledger = on.ledger) => {
    const handle = { query, describe: () => Promise.reject(new Error('Temporal is away')) };
    const client = {
      workflow: { getHandle: () => handle },
      withDeadline: <T>(_: number, call: () => Promise<T>) => call(),
    } as unknown as Client;
    return createStatus({ client, ledger, log: quiet, now: Date.now });
  };
  const away = () => Promise.reject(new Error('Temporal is away'));

  for (const [name, end, isAnew, progress] of [
    ['is that of a run which began anew after a failure', FAILED, true, 50],
    ['is the failure where that came after what was told of the run', FAILED, false, 100],
    ['is what was delivered, whatever began anew', fallbackEnd('Be kind.', 'p'), true, 100],
  ] as const) {
    it(`${name}, also while Temporal is away`, async () => {
      const [owner, taskId] = [await richOwner(on.ledger), randomUUID()];
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt: new Date() });
      const { endedAt } = await on.ledger.endGeneration({ taskId, owner, end });
      const at = new Date(endedAt.getTime() + (isAnew ? 1 : -1)).toISOString();
      const queued = queuedSnapshot({ taskId, owner, createdAt: new Date().toISOString(), repeated: true });
      await on.ledger.shareTold({ snapshot: atStep(queued, 'generating', at), asOf: at });
      const result = await process(away).status(taskId, asOwner(owner));
      assert.ok(result.outcome === 'found', result.outcome);
      assert.deepEqual([result.snapshot.progress, result.staleAsOf], [progress, progress === 50 ? at : undefined]);
    });
  }

  it('is unknown of a run that began anew, while nobody can say whether something was delivered before', async () => {
    const [owner, taskId] = [await richOwner(on.ledger), randomUUID()];
    await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt: new Date() });
    await on.ledger.endGeneration({ taskId, owner, end: fallbackEnd('Be kind.', 'p') });
    const at = new Date().toISOString();
    const queued = queuedSnapshot({ taskId, owner, createdAt: at, repeated: true });
    await on.ledger.shareTold({ snapshot: atStep(queued, 'generating', at), asOf: at });
    const { status } = process(away, { ...on.ledger, getGeneration: away });
    assert.deepEqual(await status(taskId, asOwner(owner)), { outcome: 'unavailable' });
  });

  describe('of a task whose time is over while Temporal is away', () => {
    const overdue = async () => {
      const [owner, taskId] = [await richOwner(on.ledger), randomUUID()];
      const createdAt = new Date(Date.now() - WORKFLOW_TIMEOUT_MS);
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'p', createdAt });
      return { owner, taskId, queued: queuedSnapshot({ taskId, owner, createdAt: createdAt.toISOString() }) };
    };
    const codeOf = async ({ status }: ReturnType<typeof process>, taskId: string, caller: Caller) => {
      const result = await status(taskId, caller);
      if (result.outcome !== 'found') return result.outcome;
      return result.snapshot.status === 'failed' ? result.snapshot.error_code : result.snapshot.status;
    };

    it('is its end from then on, whatever Temporal and a worker say later', async () => {
      const { owner, taskId, queued } = await overdue();
      assert.equal(await codeOf(process(away), taskId, asOwner(owner)), 'timed_out');
      const back = process(() => Promise.resolve(atStep(queued, 'generating', queued.created_at)));
      assert.equal(await codeOf(back, taskId, asOwner(owner)), 'timed_out', 'its run was not ended yet');
      await on.ledger.endGeneration({ taskId, owner, end: byAi(600), runId: 'its first' });
      assert.equal(await codeOf(process(away), taskId, asOwner(owner)), 'timed_out');
      assert.equal((await on.ledger.getAccount(owner))?.tokens.balance, 100_000, 'nothing was charged');
    });

    for (const [end, code] of [
      [byAi(600), 'completed'],
      [{ status: 'failed', failure: { code: 'cancelled' } }, 'cancelled'],
    ] as [GenerationEnd, string][])
      it(`is the end that a worker has just stored: ${code}`, async () => {
        const { owner, taskId } = await overdue();
        const before = await on.ledger.getGeneration(taskId);
        // Read just before that.
        const late = {
          ...on.ledger,
          getGeneration: () => Promise.resolve(before),
          newsOf: () => Promise.resolve([{ told: null, ended: false }]),
        };
        await on.ledger.endGeneration({ taskId, owner, end, runId: 'its first' });
        assert.equal(await codeOf(process(away, late), taskId, asOwner(owner)), code);
      });

    it('is unknown where that can not be stored', async () => {
      const { owner, taskId } = await overdue();
      const { status } = process(away, { ...on.ledger, endGeneration: away });
      assert.deepEqual(await status(taskId, asOwner(owner)), { outcome: 'unavailable' });
    });

    it('is its end, too, where only its cookie says that it was started', async () => {
      const [owner, taskId] = [await richOwner(on.ledger), randomUUID()];
      const startedAt = new Date(Date.now() - WORKFLOW_TIMEOUT_MS).toISOString();
      const caller: Caller = { kind: 'task', taskId, owner, startedAt };
      assert.equal(await codeOf(process(away), taskId, caller), 'timed_out');
      assert.equal((await on.ledger.getGeneration(taskId))?.ended?.status, 'failed');
    });

    it('goes on as queued, where nobody was told of more than that it began anew', async () => {
      const { owner, taskId, queued } = await overdue();
      const { endedAt } = await on.ledger.endGeneration({ taskId, owner, end: FAILED, runId: 'its first' });
      const at = new Date(endedAt.getTime() + 1).toISOString();
      await on.ledger.shareTold({ snapshot: { ...queued, updated_at: at, repeated: true }, asOf: at });
      assert.equal(await codeOf(process(away), taskId, asOwner(owner)), 'queued');
      assert.deepEqual((await on.ledger.getGeneration(taskId))?.ended?.endedAt, endedAt, 'what is stored stays');
    });

    for (const [name, minutesAgo, code] of [
      ['goes on where it began anew not long ago', 0, 'processing'],
      ['is the end before, where it began anew, and that time is over as well', 2, 'internal'],
    ] as const) {
      it(name, async () => {
        const { owner, taskId, queued } = await overdue();
        const { endedAt } = await on.ledger.endGeneration({ taskId, owner, end: FAILED, runId: 'its first' });
        const at = new Date(endedAt.getTime() + 1).toISOString();
        const asOf = new Date(endedAt.getTime() - minutesAgo * 60_000).toISOString();
        await on.ledger.shareTold({ snapshot: atStep({ ...queued, repeated: true }, 'generating', at), asOf });
        assert.equal(await codeOf(process(away), taskId, asOwner(owner)), code);
      });
    }
  });

  it('is read anew for who asks while an answer is long under way: somebody may have been told more since', async () => {
    const taskId = randomUUID();
    const queued = queuedSnapshot({ taskId, owner: 'ann', createdAt: new Date().toISOString() });
    const old = gate();
    let asked = 0;
    const { status } = process(async () => {
      asked += 1;
      if (asked > 1) return atStep(queued, 'responding', queued.created_at);
      await old.opened;
      return atStep(queued, 'generating', queued.created_at);
    });
    const first = status(taskId, asOwner('ann'));
    // Until it is too late to share what is under way.
    await eventually(() => {
      void status(taskId, asOwner('ann'));
      assert.ok(asked > 1);
    });
    const next = await status(taskId, asOwner('ann'));
    assert.equal(next.outcome === 'found' && next.snapshot.progress, 70);
    old.open();
    await first;
  });
});
