import assert from 'node:assert/strict';
import { createReadLimit, FEWEST_AT_ONCE, READS_AT_ONCE, type ReadLimit } from '../../src/generations/read-limit.js';

const mostOf = (limit: ReadLimit): number => {
  let inFlight = 0;
  while (limit.allows(inFlight)) inFlight += 1;
  return inFlight;
};

describe('How many tasks are asked for at once', () => {
  it('is halved by each that nobody answers, down to a few', () => {
    const limit = createReadLimit();
    assert.equal(mostOf(limit), READS_AT_ONCE);
    limit.note(false);
    assert.equal(mostOf(limit), READS_AT_ONCE / 2);
    for (let n = 0; n < 10; n += 1) limit.note(false);
    assert.equal(mostOf(limit), FEWEST_AT_ONCE);
  });

  it('grows by one with each that answers, up to where it began', () => {
    const limit = createReadLimit();
    limit.note(false);
    limit.note(true);
    assert.equal(mostOf(limit), READS_AT_ONCE / 2 + 1);
    for (let n = 0; n < READS_AT_ONCE; n += 1) limit.note(true);
    assert.equal(mostOf(limit), READS_AT_ONCE);
  });
});
