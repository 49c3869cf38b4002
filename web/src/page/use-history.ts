import { useCallback, useEffect, useRef, useState } from 'react';
import { isActive } from '../client/types.js';
import { ApiProblem, type Filter, type Listed, type PageApi } from './api.js';

/** After the last key stroke in the search. */
const TYPING_MS = 250;
/** Between looks while something listed still runs. */
const RUNNING_MS = 3_000;

export interface History {
  /** null: not read yet. */
  items: Listed[] | null;
  /** Why the list could not be read; what was read before stays. */
  problem: string | null;
  hasMore: boolean;
  loadMore: () => void;
}

/** The caller's generations that pass a filter, read anew whenever that or `version` changes, and while one runs. */
export function useHistory(api: PageApi, filter: Filter, version: string): History {
  const [items, setItems] = useState<Listed[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [looks, setLooks] = useState(0);
  const { status, search } = filter;
  const reading = useRef<AbortController | null>(null);

  const read = useCallback(
    async (after: string | null): Promise<void> => {
      reading.current?.abort();
      const controller = new AbortController();
      reading.current = controller;
      try {
        const page = await api.generations({ status, search }, after, controller.signal);
        setItems((before) => (after === null ? page.items : [...(before ?? []), ...page.items]));
        setCursor(page.nextCursor);
        setProblem(null);
      } catch (error) {
        if (controller.signal.aborted) return;
        if (!(error instanceof ApiProblem)) throw error;
        // A refused token is the account's to tell of.
        setProblem(error.message);
      }
    },
    [api, status, search],
  );

  useEffect(() => {
    const timer = setTimeout(() => void read(null), search === '' ? 0 : TYPING_MS);
    return () => {
      clearTimeout(timer);
      reading.current?.abort();
    };
  }, [read, search, version, looks]);

  const running = items?.some(({ generation }) => isActive(generation)) ?? false;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setLooks((count) => count + 1);
    }, RUNNING_MS);
    return () => {
      clearInterval(timer);
    };
  }, [running]);

  return { items, problem, hasMore: cursor !== null, loadMore: () => void read(cursor) };
}
