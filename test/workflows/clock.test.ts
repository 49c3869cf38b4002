import assert from 'node:assert/strict';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { clockOf } from '../../src/workflows/clock.js';

describe('The clock of a run', () => {
  const at = { ms: 1_000 };
  const clock = (isReset: boolean) => clockOf({ startedAtMs: 1_000, isReset, now: () => at.ms });

  it('goes on, however late it is', () => {
    const sinceStart = clock(false);
    for (const ms of [1_000, 5_000, 1_000 + WORKFLOW_TIMEOUT_MS + 1, 9_999_999]) {
      at.ms = ms;
      assert.equal(sinceStart(), ms - 1_000);
    }
  });

  it('begins anew, once, in a run that was reset after its end', () => {
    const sinceStart = clock(true);
    at.ms = 9_000_000;
    assert.equal(sinceStart(), 0);
    at.ms += 500;
    assert.equal(sinceStart(), 500);
    at.ms += WORKFLOW_TIMEOUT_MS;
    assert.equal(sinceStart(), WORKFLOW_TIMEOUT_MS + 500);
  });

  it('goes on in a run that was reset while its time was not over', () => {
    const sinceStart = clock(true);
    at.ms = 1_000 + WORKFLOW_TIMEOUT_MS;
    assert.equal(sinceStart(), WORKFLOW_TIMEOUT_MS);
  });
});
