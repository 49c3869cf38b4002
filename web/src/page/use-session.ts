import { useCallback, useMemo, useState } from 'react';
import type { TokenSource } from '../client/types.js';
import type { PageConfig } from './api.js';

/**
 * Where a page of the same origin leaves the token of its user, so that this one is signed in. Only pages of this origin
 * can write there: a token that came with a link (#token=…) could be an attacker's own, and what is typed would be theirs.
 */
const STORAGE_KEY = 'prompt-generation:token';
/** The same in a page that hosts this one's script: `<meta name="prompt-generation-token" content="…">`. */
const META = 'meta[name="prompt-generation-token"]';

/** Heard by host pages: the token was refused; they may set a new one in their meta element and reload. */
const REFUSED_EVENT = 'prompt-generation:token-refused';

export interface Session {
  /** null: nobody is signed in. */
  token: TokenSource | null;
  /** The page that hosts this one signs its users in: there is nothing to ask for here. */
  hosted: boolean;
  /** The last token was refused. */
  refused: boolean;
  signIn: (token: string) => void;
  /** A 401: whoever is signed in has to sign in again. */
  onRefused: () => void;
}

/** Who uses the page: the host page's user, one who signed in here, or in the embedded set-up the demo account. */
export function useSession({ demo_token }: PageConfig): Session {
  const [own, setOwn] = useState(() => hostToken() ?? read() ?? demo_token ?? null);
  const [refused, setRefused] = useState(false);
  // Asked at each request: a host page may renew its token at any time.
  const token = useMemo(() => (own === null ? null : () => hostToken() ?? own), [own]);
  const signIn = useCallback((given: string) => {
    write(given);
    setOwn(given);
    setRefused(false);
  }, []);
  const onRefused = useCallback(() => {
    write(null);
    setOwn(null);
    setRefused(true);
    window.dispatchEvent(new CustomEvent(REFUSED_EVENT));
  }, []);
  return { token, hosted: hostToken() !== undefined, refused, signIn, onRefused };
}

const hostToken = (): string | undefined => document.querySelector<HTMLMetaElement>(META)?.content;

function read(): string | undefined {
  try {
    return sessionStorage.getItem(STORAGE_KEY) ?? undefined;
  } catch {
    // Storage is forbidden here: there is no token in it.
    return undefined;
  }
}

function write(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, token);
  } catch {
    // Storage is forbidden here: whoever reloads has to sign in again.
  }
}
