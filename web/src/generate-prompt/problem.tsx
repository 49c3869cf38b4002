import type { RefObject } from 'react';
import type { Action, Generation } from '../client/types.js';
import type { Texts } from './texts.js';

/** What a button of the error card does: leads to an address, or calls. */
export type ActionTarget = string | (() => void);

/** Where the service's actions lead in this application. One that is absent gets no button; `retry` is built in. */
export type ActionTargets = Partial<Record<Exclude<Action, 'retry'>, ActionTarget>>;

interface ProblemProps {
  generation: Extract<Generation, { state: 'failed' | 'timed_out' }>;
  targets: ActionTargets;
  texts: Texts;
  format: (number: number) => string;
  onRetry: () => void;
  /** Focused when it appears. */
  heading: RefObject<HTMLHeadingElement | null>;
}

/** Why there is no prompt, and what to do about it. */
export function Problem({ generation, targets, texts, format, onRetry, heading }: ProblemProps) {
  const { tokens } = generation;
  const sentence = texts.error(generation, {
    required: format(tokens?.required ?? 0),
    available: format(tokens?.available ?? 0),
  });
  return (
    <section className="gp-card gp-problem">
      <h2 className="gp-title" tabIndex={-1} ref={heading}>
        {generation.state === 'timed_out' ? texts.unknownEnd : texts.problem}
      </h2>
      <p role="alert" dir="auto">
        {sentence}
      </p>
      <ActionButton action={generation.action} targets={targets} texts={texts} onRetry={onRetry} />
    </section>
  );
}

type ActionButtonProps = Pick<ProblemProps, 'targets' | 'texts' | 'onRetry'> & { action: Action | null };

/** Actions of a newer service are not known here: they get no button, the sentence has to do. */
function ActionButton({ action, targets, texts, onRetry }: ActionButtonProps) {
  if (action === null || !Object.hasOwn(texts.actions, action)) return null;
  const label = texts.actions[action];
  const target = action === 'retry' ? onRetry : targets[action];
  if (target === undefined) return null;
  if (typeof target === 'string') {
    return (
      <a className="gp-button gp-primary" href={target}>
        {label}
      </a>
    );
  }
  return (
    <button type="button" className="gp-button gp-primary" onClick={target}>
      {label}
    </button>
  );
}
