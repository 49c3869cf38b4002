import { useId, type RefObject } from 'react';
import { MANUAL_PROMPT_MAX_CHARS } from '../../../src/contract/limits.js';
import { lengthOf, type Complaint } from './instruction.js';
import type { Texts } from './texts.js';

interface InstructionFormProps {
  text: string;
  onText: (text: string) => void;
  onSubmit: () => void;
  complaint: Complaint | null;
  busy: boolean;
  autoFocus: boolean;
  /** Tokens; null: not known. */
  available: number | null;
  texts: Texts;
  format: (number: number) => string;
  input: RefObject<HTMLTextAreaElement | null>;
}

/** The text area with its counter, and the button. Ctrl+Enter is the button, too. */
export function InstructionForm(props: InstructionFormProps) {
  const { text, onText, onSubmit, complaint, busy, autoFocus, available, texts, format, input } = props;
  const id = useId();
  return (
    <form
      className="gp-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
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
        autoFocus={autoFocus}
        aria-invalid={complaint !== null}
        aria-describedby={`${id}-complaint ${id}-counter`}
        onChange={(event) => {
          onText(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          onSubmit();
        }}
      />
      <div className="gp-row gp-under">
        <span id={`${id}-complaint`} className="gp-complaint" role="alert">
          {complaint && texts.complaints[complaint]}
        </span>
        <span id={`${id}-counter`} className="gp-counter" data-over={complaint === 'too_long'}>
          {texts.counter(format(lengthOf(text)), format(MANUAL_PROMPT_MAX_CHARS))}
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
