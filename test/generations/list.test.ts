import assert from 'node:assert/strict';
import { atStep, failedSnapshot, queuedSnapshot, type Snapshot } from '../../src/contract/snapshot.js';
import { createList } from '../../src/generations/list.js';
import type { Caller, StatusResult } from '../../src/generations/types.js';
import type { Generation, GenerationQuery, Ledger } from '../../src/ledger/types.js';
import { gate } from '../support/gate.js';
import { asOwner, quiet } from './support.js';

/** Of each test anew: a row of long ago is overdue. */
let now = new Date();
const aRow = (taskId: string, row: Partial<Generation> = {}): Generation => ({
  taskId,
  owner: 'ann',
  manualPrompt: `text of ${taskId}`,
  businessType: null,
  createdAt: now,
  updatedAt: now,
  queued: false,
  ended: null,
  ...row,
});
const ENDED: Generation['ended'] = {
  status: 'failed',
  failure: { code: 'cancelled' },
  tokensCharged: 0,
  tokensAvailable: 0,
  endedAt: now,
};
const queued = (taskId: string) => queuedSnapshot({ taskId, owner: 'ann', createdAt: now.toISOString() });
const found = (snapshot: Snapshot): StatusResult => ({ outcome: 'found', snapshot });

describe('Listing', () => {
  let rows: Generation[];
  let statuses: Record<string, StatusResult>;
  let asked: [string, Caller][];
  let listGenerations: Ledger['listGenerations'];

  beforeEach(() => {
    now = new Date();
    asked = [];
    statuses = {};
    listGenerations = () => Promise.resolve({ generations: rows, nextCursor: 'next' });
  });

  it('makes the searches of one owner one after the other, and keeps nothing else waiting', async () => {
    const first = gate();
    const readers: string[] = [];
    rows = [];
    const status = () => Promise.reject(new Error('There is no row'));
    const ledger = {
      listGenerations: async (owner: string, { search }: GenerationQuery) => {
        readers.push(owner);
        if (search === 'slow') await first.opened;
        return { generations: rows, nextCursor: null };
      },
    };
    const listOf = createList({ ledger, log: quiet }, status);
    const slow = Array.from({ length: 5 }, () => listOf('ann', { limit: 20, search: 'slow' }));
    assert.equal((await listOf('bob', { limit: 20, search: 'quick' })).outcome, 'listed');
    assert.equal((await listOf('ann', { limit: 20 })).outcome, 'listed');
    assert.deepEqual(readers, ['ann', 'bob', 'ann']);
    first.open();
    for (const { outcome } of await Promise.all(slow)) assert.equal(outcome, 'listed');
    assert.equal(readers.length, 7);
  });

  const list = (query: Partial<GenerationQuery> = {}) => {
    const never = () => Promise.reject(new Error('Nothing else is asked of the ledger'));
    const ledger = { listGenerations, getGeneration: never, endGeneration: never };
    const status = (taskId: string, caller: Caller) => {
      asked.push([taskId, caller]);
      return Promise.resolve(statuses[taskId] ?? { outcome: 'not_found' as const });
    };
    return createList({ ledger, log: quiet }, status)('ann', { limit: 20, ...query });
  };
  const states = async (query?: Partial<GenerationQuery>) => {
    const result = await list(query);
    assert.equal(result.outcome, 'listed');
    return result.generations.map(({ status: { snapshot, staleAsOf } }) => [
      snapshot.task_id,
      snapshot.status,
      snapshot.progress,
      staleAsOf,
    ]);
  };

  it('asks for the status of those that have no end in the ledger, as their owner, and of no others', async () => {
    rows = [aRow('running'), aRow('ended', { ended: ENDED })];
    statuses.running = found(atStep(queued('running'), 'responding', now.toISOString()));
    assert.deepEqual(await states(), [
      ['running', 'processing', 70, undefined],
      ['ended', 'failed', 100, undefined],
    ]);
    assert.deepEqual(asked, [['running', asOwner('ann')]]);
  });

  it('shows the row, stale, where no status can be had', async () => {
    rows = [aRow('unavailable'), aRow('unknown')];
    statuses.unavailable = { outcome: 'unavailable' };
    assert.deepEqual(await states({ status: 'processing' }), [
      ['unavailable', 'processing', 10, now.toISOString()],
      ['unknown', 'processing', 10, now.toISOString()],
    ]);
  });

  it('leaves out what is no longer of the asked-for status, and goes on behind it', async () => {
    rows = [aRow('a'), aRow('b'), aRow('c')];
    statuses.a = found(queued('a'));
    statuses.b = found(atStep(queued('b'), 'finalizing', now.toISOString()));
    statuses.c = found(failedSnapshot(queued('c'), { code: 'timed_out' }, now.toISOString()));
    const result = await list({ status: 'processing' });
    assert.equal(result.outcome, 'listed');
    assert.deepEqual(
      result.generations.map(({ manualPrompt }) => manualPrompt),
      ['text of a', 'text of b'],
    );
    assert.equal(result.nextCursor, 'next');
    assert.equal((await states()).length, 3);
  });

  it('hands on whose, which page and what to look for', async () => {
    const calls: unknown[] = [];
    listGenerations = (...args) => {
      calls.push(args);
      return Promise.resolve(null);
    };
    const query = { cursor: 'c', limit: 3, status: 'failed', search: 'shoes' } as const;
    assert.deepEqual(await list(query), { outcome: 'unknown_cursor' });
    assert.deepEqual(calls, [['ann', query]]);
  });

  it('is unavailable while the ledger is away', async () => {
    listGenerations = () => Promise.reject(new Error('connect ECONNREFUSED'));
    assert.deepEqual(await list(), { outcome: 'unavailable' });
  });
});
