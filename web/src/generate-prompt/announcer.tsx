import { useEffect, useState } from 'react';
import { isActive, type Generation } from '../client/types.js';
import { noteOf } from './progress.js';
import type { Texts } from './texts.js';

/** A running task is told of at most once in this time: its steps pass faster than they can be read out. */
const CALM_MS = 4_000;

/**
 * What a screen reader is told: where the task stands, and that its prompt is there. Always on the page, as a live region
 * that appears together with its text is not read. Failures are alerts of their own.
 */
export function Announcer({ generation, texts }: { generation: Generation; texts: Texts }) {
  const active = isActive(generation);
  const text = active || generation.state === 'completed' ? wordsOf(generation, texts) : '';
  const [said, setSaid] = useState({ text: '', at: 0 });
  useEffect(() => {
    if (text === said.text) return undefined;
    const waitMs = active ? Math.max(0, said.at + CALM_MS - Date.now()) : 0;
    const timer = setTimeout(() => {
      setSaid({ text, at: Date.now() });
    }, waitMs);
    return () => {
      clearTimeout(timer);
    };
  }, [text, active, said]);
  return (
    <p className="gp-unseen" role="status">
      {said.text}
    </p>
  );
}

const wordsOf = (generation: Generation, texts: Texts): string =>
  generation.cancellation === 'requested' ? texts.cancelling : (noteOf(generation, texts) ?? texts.message(generation));
