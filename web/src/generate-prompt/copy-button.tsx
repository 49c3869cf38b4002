import { useEffect, useState, type RefObject } from 'react';
import type { Texts } from './texts.js';

interface CopyButtonProps {
  text: string;
  /** Selected where the browser does not let a page copy by itself. */
  source: RefObject<HTMLElement | null>;
  texts: Texts;
}

const SAID_MS = 2_500;

/** Copies, and says so; in the live region beside it, too. */
export function CopyButton({ text, source, texts }: CopyButtonProps) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (said === '') return undefined;
    const timer = setTimeout(() => {
      setSaid('');
    }, SAID_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(texts.copied);
    } catch {
      // Browsers allow it on https and localhost only.
      select(source.current);
      setSaid(texts.copyFailed);
    }
  };
  return (
    <>
      <button type="button" className="gp-button" onClick={() => void copy()}>
        {said === '' ? texts.copy : said}
      </button>
      <span className="gp-unseen" role="status">
        {said}
      </span>
    </>
  );
}

function select(element: HTMLElement | null): void {
  if (element instanceof HTMLTextAreaElement) element.select();
  else if (element) getSelection()?.selectAllChildren(element);
}
