import assert from 'node:assert/strict';
import type { EraseResult } from '../../src/generations/types.js';
import type { Erasure } from '../../src/ledger/types.js';

/** The receipt of an erasure that must have ended. */
export function assertFinished(result: EraseResult): Erasure {
  assert.ok(result.outcome === 'erasing', result.outcome);
  assert.ok(result.erasure.finishedAt, 'it has finished');
  return result.erasure;
}
