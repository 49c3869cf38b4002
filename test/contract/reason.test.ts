import assert from 'node:assert/strict';
import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { reasonOf } from '../../src/contract/reason.js';

const inStep = (cause?: Error) =>
  new ActivityFailure('Activity task failed', 'generateWithAI', '1', RetryState.TIMEOUT, 'worker', cause);
const refused = ApplicationFailure.create({ type: 'LlmRefused', message: 'The model answered 401 (invalid_api_key)' });

describe('The reason of a failure', () => {
  for (const [what, error, expected] of [
    [
      'names the step and says it in our words',
      inStep(refused),
      'generateWithAI: The model answered 401 (invalid_api_key)',
    ],
    [
      'tells a timeout',
      inStep(new TimeoutFailure('x', undefined, 'HEARTBEAT')),
      'generateWithAI: timed out (HEARTBEAT)',
    ],
    ['tells a cancellation', inStep(new CancelledFailure('x')), 'generateWithAI: cancelled'],
    ['says so where nothing is known', 'secret', 'an unknown error'],
  ] as const) {
    it(what, () => {
      assert.equal(reasonOf(error), expected);
    });
  }

  it('tells only the type of what is not ours', () => {
    const foreign = ApplicationFailure.create({ type: 'DatabaseError', message: 'secret' });
    assert.equal(reasonOf(foreign), 'DatabaseError, of which only operators see more');
    assert.equal(reasonOf(new TypeError('secret')), 'TypeError, of which only operators see more');
  });

  it('tells the last attempt of a step whose time was over', () => {
    const error = new TimeoutFailure('x', undefined, 'SCHEDULE_TO_CLOSE');
    Object.assign(error, { cause: refused });
    assert.equal(
      reasonOf(inStep(error)),
      'generateWithAI: timed out (SCHEDULE_TO_CLOSE), its last attempt: The model answered 401 (invalid_api_key)',
    );
  });

  it('is never longer than a line', () => {
    const long = ApplicationFailure.create({ type: 'LlmRefused', message: 'x'.repeat(1_000) });
    assert.equal(reasonOf(long).length, 300);
  });
});
