import { useEffect, useId, useRef, useState } from 'react';
import type { PageTexts } from './page-texts.js';

interface SignInProps {
  page: PageTexts;
  /** The last token was refused. */
  refused: boolean;
  onToken: (token: string) => void;
}

/** Asks for a token, where nothing on this origin brought one. */
export function SignIn({ page, refused, onToken }: SignInProps) {
  const id = useId();
  const [token, setToken] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (refused) input.current?.focus();
  }, [refused]);
  return (
    <form
      className="gp-card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') onToken(token.trim());
      }}
    >
      <label className="gp-label" htmlFor={id}>
        {page.token}
      </label>
      <div className="gp-row">
        <input
          id={id}
          ref={input}
          type="password"
          className="gp-input"
          dir="ltr"
          autoComplete="off"
          spellCheck={false}
          value={token}
          aria-invalid={refused}
          aria-describedby={`${id}-hint ${id}-refused`}
          onChange={(event) => {
            setToken(event.target.value);
          }}
        />
        <button type="submit" className="gp-button gp-primary">
          {page.signIn}
        </button>
      </div>
      <p className="gp-hint" id={`${id}-hint`}>
        {page.tokenHint}
      </p>
      <p className="gp-complaint" role="alert" id={`${id}-refused`}>
        {refused ? page.tokenRefused : ''}
      </p>
    </form>
  );
}
