import assert from 'node:assert/strict';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { pino } from 'pino';
import { serializers } from '../src/log.js';

interface Line {
  msg: string;
  error: unknown;
}

/** What is logged with this as its `error`. */
function logged(error: unknown): Line {
  const lines: string[] = [];
  pino({ serializers }, { write: (line) => void lines.push(line) }).warn({ error }, 'it failed');
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0]!) as Line;
}

describe('The log', () => {
  it('says what the SDK caught, with its causes, and without the payloads in it', () => {
    const cause = ApplicationFailure.create({ message: 'no connection is free', type: 'Error', details: ['secret'] });
    const failure = new ActivityFailure('The activity failed', 'checkTokens', '2', 'TIMEOUT', 'worker', cause);
    const { error } = logged(failure) as { error: Record<string, string> };
    assert.deepEqual(Object.keys(error), ['type', 'message', 'stack']);
    assert.equal(error.type, 'ActivityFailure');
    assert.match(error.message!, /^The activity failed: no connection is free$/);
    assert.doesNotMatch(JSON.stringify(error), /secret/);
  });

  it('says an `error` that is none as it is', () => {
    assert.equal(logged('only words').error, 'only words');
  });
});
