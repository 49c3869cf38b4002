import { failedSnapshot, queuedSnapshot } from '../../contract/snapshot.js';
import type { TaskRecord } from '../../ledger/support-types.js';
import { EXAMPLE_TASK_ID } from '../generations/examples.js';
import { presentReport, presentTask } from './present.js';

const at = (time: string): Date => new Date(`2026-11-24T${time}Z`);

const record: TaskRecord = {
  taskId: EXAMPLE_TASK_ID,
  owner: 'acct_42',
  businessType: 'Shoe shop',
  state: 'failed',
  failure: { code: 'internal' },
  reason: 'finalize: timed out (SCHEDULE_TO_CLOSE)',
  model: null,
  cachedFrom: null,
  createdAt: at('09:00:00'),
  updatedAt: at('09:01:47'),
  endedAt: at('09:01:47'),
  charged: 0,
  held: 0,
  characters: { manualPrompt: 52, prompt: null },
};

const queued = queuedSnapshot({ taskId: EXAMPLE_TASK_ID, owner: 'acct_42', createdAt: at('09:00:00').toISOString() });

export const TASK_EXAMPLE = presentTask(record);

export const REPORT_EXAMPLE = presentReport(
  {
    taskId: EXAMPLE_TASK_ID,
    owner: 'acct_42',
    record,
    snapshot: failedSnapshot(queued, { code: 'internal' }, at('09:01:47').toISOString()),
    run: {
      runId: '0197e0a4-6f0e-7c55-8a38-1f2e6b7c8d90',
      status: 'FAILED',
      startedAt: at('09:00:00'),
      closedAt: at('09:01:47'),
      timeline: [
        { at: at('09:00:00'), event: 'started' },
        { at: at('09:00:01'), event: 'step_completed', step: 'generateWithAI', attempt: 1 },
        {
          at: at('09:01:47'),
          event: 'step_failed',
          step: 'finalize',
          attempt: 9,
          why: 'timed out (SCHEDULE_TO_CLOSE)',
        },
        { at: at('09:01:47'), event: 'failed', why: 'The generation could not be finished' },
      ],
      pending: [],
    },
    holds: [{ tokens: 3_242, createdAt: at('09:00:00'), expiresAt: at('09:02:30'), state: 'expired', charged: 0 }],
    account: null,
    actions: [],
    summary: ['It failed: Something went wrong on our side. No tokens were charged. Please try again.'],
  },
  'https://temporal.example.com/namespaces/default/workflows/',
);
