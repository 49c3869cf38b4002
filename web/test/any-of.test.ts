import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { anyOf } from '../src/client/any-of.js';

describe('A signal of several', () => {
  it('is aborted with the first of them, and as that one was', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { signal } = anyOf([first.signal, second.signal]);
    assert.equal(signal.aborted, false);
    second.abort('the second');
    first.abort('the first');
    assert.deepEqual([signal.aborted, signal.reason], [true, 'the second']);
  });

  it('is aborted from its beginning where one of them is', () => {
    const { signal } = anyOf([new AbortController().signal, AbortSignal.abort('before')]);
    assert.deepEqual([signal.aborted, signal.reason], [true, 'before']);
  });

  it('leaves nothing behind on them once it is released', () => {
    const long = new AbortController();
    const { signal, release } = anyOf([long.signal]);
    assert.equal(getEventListeners(long.signal, 'abort').length, 1);
    release();
    assert.equal(getEventListeners(long.signal, 'abort').length, 0);
    long.abort();
    assert.equal(signal.aborted, false);
  });
});
