import { useId, useState, type RefObject, type SyntheticEvent } from 'react';
import { MANUAL_PROMPT_MAX_CHARS } from '../../../src/contract/limits.js';
import type { Texts } from './texts.js';

interface InstructionFormProps {
  text: string;
  onText: (text: string) => void;
  onSubmit: () => void;
  busy: boolean;
  /** Tokens; null: not known. */
  available: number | null;
  texts: Texts;
  format: (number: number) => string;
  input: RefObject<HTMLTextAreaElement | null>;
}

/** The text area with its counter, and the button. Ctrl+Enter is the button, too. */
export function InstructionForm(props: InstructionFormProps) {
  const { text, onText, onSubmit, busy, available, texts, format, input } = props;
  const id = useId();
  const [wasEmpty, setWasEmpty] = useState(false);
  const used = lengthOf(text);
  const over = used - MANUAL_PROMPT_MAX_CHARS;
  const complaint = complaintOf({ over, wasEmpty: wasEmpty && used === 0, texts, format });

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setWasEmpty(used === 0);
    if (used > 0 && over <= 0) onSubmit();
    else input.current?.focus();
  };

  return (
    <form className="gp-form" onSubmit={submit} noValidate>
      <label className="gp-label" htmlFor={id}>
        {texts.instruction}
      </label>
      <textarea
        id={id}
        ref={input}
        className="gp-input"
        rows={6}
        // Empty, "auto" would be left to right, with the placeholder of any language.
        dir={text === '' ? texts.dir : 'auto'}
        value={text}
        placeholder={texts.placeholder}
        disabled={busy}
        aria-invalid={complaint !== null}
        aria-describedby={`${id}-complaint ${id}-counter`}
        onChange={(event) => {
          onText(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
        }}
      />
      <div className="gp-row gp-under">
        <span id={`${id}-complaint`} className="gp-complaint" role="alert">
          {complaint}
        </span>
        <span id={`${id}-counter`} className="gp-counter" data-over={over > 0}>
          {texts.counter(format(used), format(MANUAL_PROMPT_MAX_CHARS))}
        </span>
      </div>
      <div className="gp-row">
        <button type="submit" className="gp-button gp-primary" disabled={busy}>
          {busy && <span className="gp-spinner" aria-hidden="true" />}
          {busy ? texts.generating : texts.generate}
        </button>
        {available !== null && <span className="gp-hint">{texts.available(format(available))}</span>}
      </div>
    </form>
  );
}

/** As the service counts: Unicode code points, without the white space around them. */
const lengthOf = (text: string): number => Array.from(text.trim()).length;

function complaintOf({
  over,
  wasEmpty,
  texts,
  format,
}: {
  over: number;
  wasEmpty: boolean;
  texts: Texts;
  format: (number: number) => string;
}): string | null {
  if (over > 0) return texts.tooLong(format(over));
  return wasEmpty ? texts.empty : null;
}
