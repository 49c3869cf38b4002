/**
 * The seven steps a client sees, word for word as the HTTP contract promises them.
 * Progress and message are a pure function of the step; nothing else may set them.
 */
export const STEPS = {
  queued: { progress: 0, status: 'queued', message: 'Task queued, waiting to start...', waitingFor: 'worker' },
  initializing: { progress: 10, status: 'processing', message: 'Initializing AI generation...' },
  checkingTokens: { progress: 30, status: 'processing', message: 'Checking tokens...', waitingFor: 'tokens' },
  generating: {
    progress: 50,
    status: 'processing',
    message: 'Generating enhanced prompt with AI...',
    waitingFor: 'llm',
  },
  responding: { progress: 70, status: 'processing', message: 'Waiting for AI response...', waitingFor: 'llm' },
  finalizing: { progress: 90, status: 'processing', message: 'Finalizing...' },
} as const satisfies Record<string, StepFacts>;

interface StepFacts {
  /** Percent, 0 to 100. */
  progress: number;
  status: 'queued' | 'processing';
  message: string;
  /** What the step is likely to wait for, told to the client in `detail`. */
  waitingFor?: WaitingFor;
}

/** A step of a running generation. */
export type Step = keyof typeof STEPS;

/** What a running generation may be waiting for. */
export type WaitingFor = 'worker' | 'llm' | 'tokens';

/** Progress of a generation that ended, whether completed or failed. */
export const ENDED_PROGRESS = 100;

/** Messages of a completed generation. */
export const COMPLETED_MESSAGE = 'Prompt generated successfully';
export const FALLBACK_MESSAGE = 'Prompt generated (AI unavailable, using fallback)';
export const FALLBACK_WARNING = 'AI generation failed, using simple combination';
