import { useId, type CSSProperties, type RefObject } from 'react';
import { STEPS } from '../../../src/contract/steps.js';
import type { Generation } from '../client/types.js';
import type { Texts } from './texts.js';

interface ProgressProps {
  generation: Generation;
  texts: Texts;
  onCancel: () => void;
  /** Focused when the generation starts. */
  region: RefObject<HTMLElement | null>;
}

/**
 * The bar with its status line. The solid part shows what the service reported and nothing more; a lighter one creeps on
 * from there, towards the next step but never to it, so that the page is seen to live.
 */
export function Progress({ generation, texts, onCancel, region }: ProgressProps) {
  const { progress } = generation;
  // Not `disabled`: that would take the focus away from whoever pressed it.
  const cancelling = generation.cancellation === 'requested';
  const percent = new Intl.NumberFormat(texts.locale, { style: 'percent' }).format(progress / 100);
  const status = texts.status(percent, texts.message(generation));
  const style = { '--gp-value': `${progress}%`, '--gp-ahead': `${aheadOf(progress)}%` } as CSSProperties;
  return (
    <section className="gp-card gp-progress" aria-label={texts.progress} tabIndex={-1} ref={region}>
      <div className="gp-row gp-spread">
        <p className="gp-status" dir="auto">
          {status}
        </p>
        <button type="button" className="gp-button" onClick={onCancel} aria-disabled={cancelling}>
          {cancelling ? texts.cancelling : texts.cancel}
        </button>
      </div>
      <div
        className="gp-bar"
        role="progressbar"
        aria-label={texts.progress}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={progress}
        aria-valuetext={status}
        style={style}
      >
        {/* A new element for each step, so that it creeps anew from there. */}
        <span key={progress} className="gp-bar-ahead" />
        <span className="gp-bar-value" />
      </div>
      <p className="gp-hint gp-note-line" data-kind={generation.connection}>
        {noteOf(generation, texts)}
      </p>
      {generation.partialText && <Partial text={generation.partialText} texts={texts} />}
    </section>
  );
}

/** What the model writes, to be read while it grows. Nobody is told of each word: the end is announced. */
function Partial({ text, texts }: { text: string; texts: Texts }) {
  const id = useId();
  return (
    <div className="gp-partial" role="group" aria-labelledby={id} aria-live="off">
      <p className="gp-hint" id={id}>
        {texts.soFar}
      </p>
      <div className="gp-partial-text" dir="auto">
        {text}
      </div>
    </div>
  );
}

const REPORTED = [...Object.values(STEPS).map((step) => step.progress), 100];

/** How far the creeping part may come: most of the way to the next step. Percent. */
function aheadOf(progress: number): number {
  const next = REPORTED.find((step) => step > progress) ?? 100;
  return progress + (next - progress) * 0.8;
}

/** What there is to say besides the step, the most urgent first. */
export function noteOf({ connection, cancellation, stale, detail }: Generation, texts: Texts): string | null {
  if (cancellation) return cancellation === 'failed' ? texts.cancelFailed : null;
  if (connection === 'lost') return texts.lost;
  if (connection === 'reconnecting') return texts.reconnecting;
  if (stale) return texts.stale;
  const attempt = typeof detail?.attempt === 'number' ? detail.attempt : 1;
  return attempt > 1 ? texts.attempt(new Intl.NumberFormat(texts.locale).format(attempt)) : null;
}
