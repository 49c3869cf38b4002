import assert from 'node:assert/strict';
import { failedStepOf } from '../../src/generations/failed-step.js';

/** An activity in a history: scheduled by the workflow task of event `id - 1`, with what came of it. */
const step = (id: number, name: string, ...ends: ('completed' | 'cancelRequested')[]) => [
  {
    eventId: id as never,
    activityTaskScheduledEventAttributes: {
      activityType: { name },
      workflowTaskCompletedEventId: (id - 1) as never,
    },
  },
  ...ends.map((end) =>
    end === 'completed'
      ? { activityTaskCompletedEventAttributes: { scheduledEventId: id as never } }
      : { activityTaskCancelRequestedEventAttributes: { scheduledEventId: id as never } },
  ),
];

const BEGUN = [...step(5, 'initialize', 'completed'), ...step(11, 'checkTokens', 'completed')];

describe('The step that failed', () => {
  it('is the first one without an answer, from the task that decided it', () => {
    const events = [...BEGUN, ...step(17, 'generateWithAI'), ...step(23, 'finalize')];
    assert.deepEqual(failedStepOf(events, false), { step: 'generateWithAI', eventId: 16, hasAnswer: false });
  });

  it('comes after the model’s answer where that is there', () => {
    const events = [...BEGUN, ...step(17, 'generateWithAI', 'completed'), ...step(23, 'finalize')];
    assert.deepEqual(failedStepOf(events, false), { step: 'finalize', eventId: 22, hasAnswer: true });
  });

  it('is one that was cancelled, though its answer came all the same', () => {
    const generating = step(17, 'generateWithAI', 'cancelRequested', 'completed');
    const events = [...BEGUN, ...generating, ...step(23, 'finalize', 'completed')];
    assert.equal(failedStepOf(events, false)?.step, 'generateWithAI');
  });

  it('is the check of an account that was refused, and none where all went well or nothing began', () => {
    const refused = [...BEGUN, ...step(17, 'finalize', 'completed')];
    assert.equal(failedStepOf(refused, true)?.step, 'checkTokens');
    assert.equal(failedStepOf(refused, false), null);
    assert.equal(failedStepOf([], false), null);
  });
});
