import type { ErrorCode } from '../api/errors.js';
import type { FailureCode } from '../contract/failures.js';
import { WORKFLOW_TIMEOUT_MS } from '../contract/limits.js';
import type { Step } from '../contract/steps.js';

/**
 * How requests about a task fare: they are answered; with a state that is no longer refreshed; their connection is cut;
 * or they are told that the service is away.
 */
export type Reach = 'answered' | 'stale' | 'cut' | 'unavailable';

/** What changes at a moment of a task's course; times are ms since its start. */
export interface Moment {
  atMs: number;
  step?: Step;
  /** Of the call of the model. */
  attempt?: number;
  /** The attempt begins so much later. */
  retryInMs?: number;
  reach?: Reach;
  /** How much of the prompt the model has written, 0 to 1. */
  written?: number;
}

/** How a task ends: with a prompt by the AI, with the fallback, as failed, or known to nobody any more. */
export type Ending = 'prompt' | 'fallback' | 'forgotten' | FailureCode;

export interface Course {
  /** In order of time. */
  moments: readonly Moment[];
  endsAtMs: number;
  ending: Ending;
}

/** What becomes of a request to generate: a task with a course, or an error at once. */
export type Scenario = {
  /** The word that chooses it. */
  name: string;
  /** One line for those who choose. */
  description: string;
} & ({ course: Course } | { refusedAs: ErrorCode });

/** Steps long enough for a client that polls once a second to see each. */
const EACH_SEEN: Moment[] = [
  { atMs: 1_100, step: 'initializing' },
  { atMs: 2_200, step: 'checkingTokens' },
  { atMs: 3_300, step: 'generating', attempt: 1 },
];

/** The way to what a scenario is about. */
const SOON: Moment[] = [
  { atMs: 200, step: 'initializing' },
  { atMs: 400, step: 'checkingTokens' },
  { atMs: 800, step: 'generating', attempt: 1 },
];

const refused = (ending: FailureCode): Course => ({ moments: SOON.slice(0, 2), endsAtMs: 1_500, ending });

/** When the attempts of `stuck` fail; each names a time for the next one. */
const STUCK_FAILS_AT_MS = [10_000, 25_000, 45_000, 70_000, 90_000];

/** All scenarios: docs/simulator.md, the words at the start and the tests come from here. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'normal',
    description: 'without any of these words: every step for a second or more, a prompt after 7 s, charged',
    course: {
      moments: [...EACH_SEEN, { atMs: 4_500, step: 'responding', attempt: 1 }, { atMs: 5_800, step: 'finalizing' }],
      endsAtMs: 7_000,
      ending: 'prompt',
    },
  },
  {
    name: 'fast',
    description: 'the same within half a second',
    course: {
      moments: [
        { atMs: 60, step: 'initializing' },
        { atMs: 120, step: 'checkingTokens' },
        { atMs: 180, step: 'generating', attempt: 1 },
        { atMs: 260, step: 'responding', attempt: 1 },
        { atMs: 340, step: 'finalizing' },
      ],
      endsAtMs: 400,
      ending: 'prompt',
    },
  },
  {
    name: 'slow',
    description: 'the same in 30 s, most of it at 70 %',
    course: {
      moments: [...EACH_SEEN, { atMs: 4_500, step: 'responding', attempt: 1 }, { atMs: 28_800, step: 'finalizing' }],
      endsAtMs: 30_000,
      ending: 'prompt',
    },
  },
  {
    name: 'retrying',
    description: 'two attempts of the AI fail, which detail tells; the third one brings the prompt',
    course: {
      moments: [
        ...SOON,
        { atMs: 2_000, step: 'generating', attempt: 2, retryInMs: 1_500 },
        { atMs: 5_000, step: 'generating', attempt: 3, retryInMs: 2_000 },
        { atMs: 8_500, step: 'responding', attempt: 3 },
        { atMs: 10_000, step: 'finalizing' },
      ],
      endsAtMs: 10_500,
      ending: 'prompt',
    },
  },
  {
    name: 'fallback',
    description: 'completed by the fallback: generated_by_ai is false, a warning, nothing charged',
    course: { moments: [...SOON, { atMs: 2_000, step: 'finalizing' }], endsAtMs: 2_500, ending: 'fallback' },
  },
  {
    name: 'stuck',
    description: 'stays at 50 % through attempt after attempt, then failed as timed_out, just before 110 s',
    course: {
      moments: [
        ...SOON,
        ...STUCK_FAILS_AT_MS.map((atMs, n): Moment => ({
          atMs,
          step: 'generating',
          attempt: n + 2,
          retryInMs: 5_000,
        })),
      ],
      // Every task ends within 110 s, the blocking endpoint's wait included.
      endsAtMs: WORKFLOW_TIMEOUT_MS - 1_000,
      ending: 'timed_out',
    },
  },
  {
    name: 'insufficient_tokens',
    description: 'failed: 250 tokens are too few',
    course: refused('insufficient_tokens'),
  },
  { name: 'no_tokens_remaining', description: 'failed: no tokens are left', course: refused('no_tokens_remaining') },
  { name: 'no_subscription', description: 'failed: there is no subscription', course: refused('no_subscription') },
  { name: 'subscription_expired', description: 'failed: it has expired', course: refused('subscription_expired') },
  {
    name: 'subscription_deactivated',
    description: 'failed: it is deactivated',
    course: refused('subscription_deactivated'),
  },
  {
    name: 'timed_out',
    description: 'failed after 3 s as if it had taken too long',
    course: { moments: SOON, endsAtMs: 3_000, ending: 'timed_out' },
  },
  {
    name: 'internal',
    description: 'failed after 3 s by a fault of the service',
    course: { moments: SOON, endsAtMs: 3_000, ending: 'internal' },
  },
  {
    name: 'stale',
    description: "from 2 s to 8 s the status can't be refreshed (stale, as_of); then it completes",
    course: {
      moments: [
        ...SOON,
        { atMs: 2_000, reach: 'stale' },
        { atMs: 8_000, reach: 'answered', step: 'responding', attempt: 1 },
        { atMs: 9_500, step: 'finalizing' },
      ],
      endsAtMs: 10_000,
      ending: 'prompt',
    },
  },
  {
    name: 'offline',
    description: 'from 2 s to 8 s the connection of each request about the task is cut; then it completes',
    course: {
      moments: [
        ...SOON,
        { atMs: 2_000, reach: 'cut' },
        { atMs: 5_000, step: 'responding', attempt: 1 },
        { atMs: 8_000, reach: 'answered' },
        { atMs: 9_500, step: 'finalizing' },
      ],
      endsAtMs: 10_000,
      ending: 'prompt',
    },
  },
  {
    name: 'down',
    description: 'the same, answered 503 unavailable',
    course: {
      moments: [
        ...SOON,
        { atMs: 2_000, reach: 'unavailable' },
        { atMs: 5_000, step: 'responding', attempt: 1 },
        { atMs: 8_000, reach: 'answered' },
        { atMs: 9_500, step: 'finalizing' },
      ],
      endsAtMs: 10_000,
      ending: 'prompt',
    },
  },
  {
    name: 'expired',
    description: 'after 3 s nobody knows the task any more: its status is 404',
    course: { moments: SOON, endsAtMs: 3_000, ending: 'forgotten' },
  },
  { name: 'signed_out', description: 'the POST is answered 401 invalid_token', refusedAs: 'invalid_token' },
  { name: '429', description: 'the POST is answered 429 rate_limited, with Retry-After', refusedAs: 'rate_limited' },
  { name: '500', description: 'the POST is answered 500 internal', refusedAs: 'internal' },
  { name: '503', description: 'the POST is answered 503 unavailable, with Retry-After', refusedAs: 'unavailable' },
];
