import { useEffect, useId, useRef, useState, type RefObject } from 'react';
import type { Generation } from '../client/types.js';
import { CopyButton } from './copy-button.js';
import type { Texts } from './texts.js';

interface ResultProps {
  generation: Extract<Generation, { state: 'completed' }>;
  texts: Texts;
  format: (number: number) => string;
  /** Absent: no button for it. */
  onUse?: ((prompt: string) => void) | undefined;
  /** Of a fallback: the AI may answer now. */
  onRetry: () => void;
  onStartOver: () => void;
  /** Focused when the prompt is there. */
  heading: RefObject<HTMLHeadingElement | null>;
}

/** The prompt: to read, copy, edit and use. */
export function Result({ generation, texts, format, onUse, onRetry, onStartOver, heading }: ResultProps) {
  const { generatedByAi, tokens } = generation;
  const id = useId();
  const [prompt, setPrompt] = useState(generation.prompt);
  const [editing, setEditing] = useState(false);
  const editor = useRef<HTMLTextAreaElement>(null);
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (editing) editor.current?.focus();
  }, [editing]);
  return (
    <section className="gp-card gp-result" aria-labelledby={id}>
      <div className="gp-row gp-spread">
        <h2 className="gp-title" id={id} tabIndex={-1} ref={heading}>
          {texts.result}
        </h2>
        <div className="gp-row">
          <CopyButton text={prompt} source={editing ? editor : shown} texts={texts} />
          <button
            type="button"
            className="gp-button"
            onClick={() => {
              setEditing(!editing);
            }}
          >
            {editing ? texts.done : texts.edit}
          </button>
        </div>
      </div>
      {!generatedByAi && (
        <div className="gp-fallback" role="note">
          <span>{texts.fallback(generation)}</span>
          <button type="button" className="gp-button" onClick={onRetry}>
            {texts.actions.retry}
          </button>
        </div>
      )}
      {editing ? (
        <textarea
          ref={editor}
          className="gp-input gp-prompt"
          dir="auto"
          aria-label={texts.editor}
          value={prompt}
          onChange={(event) => {
            setPrompt(event.target.value);
          }}
        />
      ) : (
        <div ref={shown} className="gp-prompt" dir="auto">
          {prompt}
        </div>
      )}
      <div className="gp-row gp-spread">
        <div className="gp-row">
          {onUse && (
            <button
              type="button"
              className="gp-button gp-primary"
              onClick={() => {
                onUse(prompt);
              }}
            >
              {texts.use}
            </button>
          )}
          <button type="button" className="gp-button" onClick={onStartOver}>
            {texts.startOver}
          </button>
        </div>
        {tokens?.charged !== undefined && (
          <span className="gp-hint">{texts.charged(format(tokens.charged), format(tokens.available))}</span>
        )}
      </div>
    </section>
  );
}
