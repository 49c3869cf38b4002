import { useCallback, useEffect, useRef, useState } from 'react';
import { rest } from '../client/rest.js';
import { isActive } from '../client/types.js';
import { AGAIN_MS, ApiProblem, type Filter, type Listed, type ListedPage, type PageApi } from './api.js';

/** After the last key stroke in the search. */
const TYPING_MS = 250;
/** Between looks while something listed still runs. */
const RUNNING_MS = 3_000;

export interface History {
  /** null: not read yet. */
  items: Listed[] | null;
  /** Why the list could not be read; what was read before stays, and it is read again. */
  problem: ApiProblem | null;
  hasMore: boolean;
  loadMore: () => void;
}

interface Read {
  filter: Filter;
  items: Listed[];
  /** For the items after the last one; null: there are none. */
  cursor: string | null;
}

/**
 * The caller's generations that pass a filter: read anew whenever that or `version` changes, while one runs, and after
 * a read that failed. What is read anew is the first page; the ones behind it, once they were asked for, stay.
 */
export function useHistory(api: PageApi, filter: Filter, version: string, onRefused: () => void): History {
  const [read, setRead] = useState<Read | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [looks, setLooks] = useState(0);
  const [answers, setAnswers] = useState(0);

  const tell = useCallback(
    (error: unknown): void => {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.unauthorized) onRefused();
      setProblem(error);
    },
    [onRefused],
  );

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const timer = setTimeout(
      () => {
        const reading = api.generations(filter, null, signal).then(
          (page) => {
            setRead((before) => (before?.filter === filter ? refreshed(before, page) : firstOf(filter, page)));
            setProblem(null);
          },
          (error: unknown) => {
            if (!signal.aborted) tell(error);
          },
        );
        void reading.then(() => {
          if (!signal.aborted) setAnswers((count) => count + 1);
        });
      },
      filter.search === '' ? 0 : TYPING_MS,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [api, filter, version, looks, tell]);

  const running = read?.items.some(({ generation }) => isActive(generation)) ?? false;
  const failed = problem !== null && !problem.unauthorized;
  const againMs = failed ? AGAIN_MS : running ? RUNNING_MS : null;
  useEffect(() => {
    if (againMs === null) return undefined;
    // From the last answer on, so that slow ones don't overtake each other, and not while nobody looks.
    const controller = new AbortController();
    rest(againMs, controller.signal).then(
      () => {
        setLooks((count) => count + 1);
      },
      () => undefined, // Aborted: another look is on its way, or the list is gone.
    );
    return () => {
      controller.abort();
    };
  }, [againMs, answers]);

  const more = useRef<AbortController | null>(null);
  useEffect(() => () => more.current?.abort(), [api, filter]);
  const loadMore = (): void => {
    if (!read) return;
    more.current?.abort();
    const controller = new AbortController();
    more.current = controller;
    api.generations(read.filter, read.cursor, controller.signal).then(
      (page) => {
        setRead((before) => (before?.filter === read.filter ? extended(before, page) : before));
      },
      (error: unknown) => {
        if (!controller.signal.aborted) tell(error);
      },
    );
  };

  return { items: read?.items ?? null, problem, hasMore: read !== null && read.cursor !== null, loadMore };
}

const firstOf = (filter: Filter, { items, nextCursor }: ListedPage): Read => ({ filter, items, cursor: nextCursor });

/** The first page anew, and behind it what is older. */
function refreshed(before: Read, page: ListedPage): Read {
  const last = page.items.at(-1);
  const older = before.items.slice(before.items.findIndex(({ taskId }) => taskId === last?.taskId) + 1);
  if (!last || older.length === before.items.length || older.length === 0) return firstOf(before.filter, page);
  return { ...before, items: [...page.items, ...older] };
}

function extended(before: Read, { items, nextCursor }: ListedPage): Read {
  const known = new Set(before.items.map(({ taskId }) => taskId));
  return {
    ...before,
    items: [...before.items, ...items.filter(({ taskId }) => !known.has(taskId))],
    cursor: nextCursor,
  };
}
