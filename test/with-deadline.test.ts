import assert from 'node:assert/strict';
import { withDeadline } from '../src/with-deadline.js';

describe('A deadline', () => {
  const blockFor = (ms: number): void => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  it('is missed where there is no answer by then', async () => {
    await assert.rejects(withDeadline(new Promise(() => undefined), 10), /No answer within 10 ms/);
  });

  it('is met by what arrived in time, though the process was too busy to look', async () => {
    const answer = withDeadline(new Promise((resolve) => setImmediate(resolve, 'here')), 10);
    blockFor(30);
    assert.equal(await answer, 'here');
  });
});
