import type { Action, Generation } from '../client/types.js';
import type { Complaint } from './instruction.js';

/** Every text of the component. Numbers come already written in its locale. */
export interface Texts {
  /** BCP 47: how numbers are written, and the `lang` of the component. */
  locale: string;
  dir: 'ltr' | 'rtl';

  instruction: string;
  placeholder: string;
  /** Beneath the text area: characters used, of how many. */
  counter(used: string, limit: string): string;
  complaints: Record<Complaint, string>;
  available(tokens: string): string;
  generate: string;
  generating: string;

  progress: string;
  /** What the task does now, without its percentage. */
  message(generation: Generation): string;
  status(percent: string, message: string): string;
  /** An attempt of the model's call failed; this is the number of the next one. */
  attempt(attempt: string): string;
  /** Above the text that the model is writing. */
  soFar: string;
  stale: string;
  reconnecting: string;
  lost: string;
  cancel: string;
  cancelling: string;
  cancelFailed: string;

  result: string;
  /** The note above a fallback. */
  fallback(generation: Generation): string;
  copy: string;
  copied: string;
  copyFailed: string;
  edit: string;
  done: string;
  /** Names the text area in which the result is edited. */
  editor: string;
  use: string;
  startOver: string;
  charged(charged: string, available: string): string;

  problem: string;
  /** In its place where only the page gave up: nobody knows yet. */
  unknownEnd: string;
  /** The sentence of an error. */
  error(generation: Generation, tokens: { required: string; available: string }): string;
  actions: Record<Action, string>;
}

const STARTING = 'Starting...';

/** The service's own words wherever it has some. */
export const english: Texts = {
  locale: 'en',
  dir: 'ltr',

  instruction: 'Your instruction',
  placeholder: 'We sell shoes. Be friendly. No refunds after 14 days.',
  counter: (used, limit) => `${used} of ${limit} characters`,
  complaints: { empty: 'Please write an instruction first.', too_long: 'This is too long.' },
  available: (tokens) => `${tokens} tokens available`,
  generate: 'Generate prompt',
  generating: 'Generating...',

  progress: 'Progress of the generation',
  message: ({ message }) => message ?? STARTING,
  status: (percent, message) => `${percent} - ${message}`,
  attempt: (attempt) => `The AI did not answer. Trying again: attempt ${attempt}.`,
  soFar: 'The AI is writing:',
  stale: 'This may be out of date. Looking again...',
  reconnecting: 'Connection interrupted. Reconnecting...',
  lost: 'The service cannot be reached. Your generation goes on; its state shows as soon as the connection is back.',
  cancel: 'Cancel',
  cancelling: 'Cancelling...',
  cancelFailed: 'It could not be cancelled just now. Please try again.',

  result: 'Your prompt',
  fallback: ({ warning }) => `${warning ?? 'AI generation failed, using simple combination'}. No tokens were charged.`,
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Press Ctrl+C to copy',
  edit: 'Edit',
  done: 'Done',
  editor: 'Edit your prompt',
  use: 'Use this prompt',
  startOver: 'Start over',
  charged: (charged, available) => `${charged} tokens charged · ${available} available`,

  problem: 'No prompt was generated',
  unknownEnd: 'No answer yet',
  error: ({ error }) => error ?? '',
  actions: {
    buy_tokens: 'Buy tokens',
    renew_subscription: 'Renew subscription',
    retry: 'Try again',
    contact_support: 'Contact support',
  },
};
