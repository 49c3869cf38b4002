import { assertNever } from './assert-never.js';

/** What the client should offer its user after a failure. */
export type Action = 'buy_tokens' | 'renew_subscription' | 'retry' | 'contact_support';

/**
 * Why a generation ended without a prompt. The first five are refusals (the business may not generate now); the
 * others are what happened to a task that was allowed to run. Amounts are tokens.
 */
export type Failure =
  | { code: 'insufficient_tokens'; required: number; available: number }
  | { code: 'no_tokens_remaining'; required: number; available: number }
  | { code: 'no_subscription' }
  | { code: 'subscription_expired' }
  | { code: 'subscription_deactivated' }
  | { code: 'cancelled' }
  | { code: 'timed_out' }
  | { code: 'internal' };

/** One of the error codes a status may carry. */
export type FailureCode = Failure['code'];

const EVERY_CODE: Record<FailureCode, true> = {
  insufficient_tokens: true,
  no_tokens_remaining: true,
  no_subscription: true,
  subscription_expired: true,
  subscription_deactivated: true,
  cancelled: true,
  timed_out: true,
  internal: true,
};

/** Every `error_code` a failed status may carry. */
export const FAILURE_CODES = Object.keys(EVERY_CODE) as [FailureCode, ...FailureCode[]];

/** A failure that is a decision about the account, not a fault. */
export type Refusal = Extract<
  Failure,
  {
    code:
      | 'insufficient_tokens'
      | 'no_tokens_remaining'
      | 'no_subscription'
      | 'subscription_expired'
      | 'subscription_deactivated';
  }
>;

/** A failure in the words of the contract. */
export interface FailureWords {
  message: string;
  /** A sentence for the user. */
  error: string;
  action: Action;
}

/** The contract's words for a failure. */
export function wordsFor(failure: Failure): FailureWords {
  switch (failure.code) {
    case 'insufficient_tokens':
    case 'no_tokens_remaining':
      return {
        message: 'Insufficient tokens',
        error: `You need at least ${failure.required} tokens. Available: ${failure.available}`,
        action: 'buy_tokens',
      };
    case 'no_subscription':
      return {
        message: 'Subscription is not active',
        error: 'You have no active subscription. Please choose a plan.',
        action: 'renew_subscription',
      };
    case 'subscription_expired':
      return {
        message: 'Subscription is not active',
        error: 'Your subscription has expired. Please renew it.',
        action: 'renew_subscription',
      };
    case 'subscription_deactivated':
      return {
        message: 'Subscription is not active',
        error: 'Your subscription is deactivated. Please contact support.',
        action: 'contact_support',
      };
    case 'cancelled':
      return {
        message: 'Generation cancelled',
        error: 'The generation was cancelled. No tokens were charged.',
        action: 'retry',
      };
    case 'timed_out':
      return {
        message: 'Generation timed out',
        error: 'The generation took too long. No tokens were charged. Please try again.',
        action: 'retry',
      };
    case 'internal':
      return {
        message: 'Generation failed',
        error: 'Something went wrong on our side. No tokens were charged. Please try again.',
        action: 'retry',
      };
    default:
      return assertNever(failure);
  }
}

/** The refusal for too small a balance; zero has a code of its own. Amounts are tokens. */
export function tooFewTokens(required: number, available: number): Refusal {
  return { code: available > 0 ? 'insufficient_tokens' : 'no_tokens_remaining', required, available };
}
