import assert from 'node:assert/strict';
import { oneAtATime } from '../src/one-at-a-time.js';
import { gate, type Gate } from './support/gate.js';

describe('Work that is done once at a time', () => {
  let begun: { key: string; end: Gate }[];
  const work = oneAtATime(async (key) => {
    const end = gate();
    const turn = begun.push({ key, end });
    await end.opened;
    if (key === 'bad') throw new Error(`turn ${turn}`);
    return turn;
  });

  beforeEach(() => (begun = []));

  it('answers all who ask meanwhile by the next time, which began after their question', async () => {
    const first = work('a');
    const others = [work('a'), work('a'), work('a')];
    assert.equal(begun.length, 1);
    begun[0]!.end.open();
    assert.equal(await first, 1);
    const later = work('a');
    begun[1]!.end.open();
    assert.deepEqual(await Promise.all(others), [2, 2, 2]);
    begun[2]!.end.open();
    assert.equal(await later, 3);
    const afterwards = work('a');
    begun[3]!.end.open();
    assert.equal(await afterwards, 4);
  });

  it('does not wait for that of another key, and goes on after one that failed', async () => {
    const bad = assert.rejects(work('bad'), /turn 1/);
    const next = assert.rejects(work('bad'), /turn 3/);
    const good = work('b');
    begun[1]!.end.open();
    assert.equal(await good, 2);
    begun[0]!.end.open();
    await bad;
    begun[2]!.end.open();
    await next;
  });
});
