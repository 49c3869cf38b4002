import { wordsFor, type Failure, type FailureCode } from '../contract/failures.js';

/** One of each, so that its words can be looked at. */
const EACH: readonly Failure[] = [
  { code: 'insufficient_tokens', required: 0, available: 0 },
  { code: 'no_tokens_remaining', required: 0, available: 0 },
  { code: 'no_subscription' },
  { code: 'subscription_expired' },
  { code: 'subscription_deactivated' },
  { code: 'cancelled' },
  { code: 'timed_out' },
  { code: 'internal' },
];

/** The codes whose words, as an owner reads them, have this text in any case; numbers in it do not matter. */
export function codesSaying(text: string): FailureCode[] {
  const wanted = withoutNumbers(text);
  return EACH.filter((failure) => {
    const { message, error } = wordsFor(failure);
    return [failure.code, message, error].some((words) => withoutNumbers(words).includes(wanted));
  }).map(({ code }) => code);
}

const withoutNumbers = (text: string): string => text.toLowerCase().replace(/\d+/g, '0');
