import { useCallback, useEffect, useMemo, useState } from 'react';
import { ownerOf } from '../client/http.js';
import type { TokenSource } from '../client/types.js';
import type { PageConfig } from './api.js';

/**
 * Where a page of the same origin leaves the token of its user, before it leads here or shows this page in a frame, and
 * again whenever it has a newer one. Only pages of this origin can write there. (A token that came with a link could be
 * an attacker's own, and what is typed would become theirs.)
 */
const STORAGE_KEY = 'prompt-generation:token';

/** Told to the host page's listeners on this window: the token was refused. */
const REFUSED_EVENT = 'prompt-generation:token-refused';

export interface Session {
  /** null: nobody has signed in yet. */
  token: TokenSource | null;
  /** Who that is, as far as the token tells. */
  owner: string | null;
  /** The token was refused: another one is needed. */
  refused: boolean;
  signIn: (token: string) => void;
  /** A 401: whoever is signed in has to sign in again. */
  onRefused: () => void;
}

/** Who uses the page: the host page's user, one who signed in here, or in the embedded set-up the demo account. */
export function useSession({ demo_token }: PageConfig): Session {
  const [own, setOwn] = useState(() => read() ?? demo_token ?? null);
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const onStorage = ({ key, newValue }: StorageEvent): void => {
      if (key !== STORAGE_KEY || newValue === null) return;
      setOwn(newValue);
      setRefused(false);
    };
    window.addEventListener('storage', onStorage);
    return () => {
      window.removeEventListener('storage', onStorage);
    };
  }, []);
  // Asked at each request, as a host page may have renewed it.
  const token = useMemo(() => (own === null ? null : () => read() ?? own), [own]);
  const signIn = useCallback((given: string) => {
    write(given);
    setOwn(given);
    setRefused(false);
  }, []);
  const onRefused = useCallback(() => {
    write(null);
    setRefused(true);
    window.dispatchEvent(new CustomEvent(REFUSED_EVENT));
  }, []);
  return { token, owner: ownerOf(own), refused, signIn, onRefused };
}

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
