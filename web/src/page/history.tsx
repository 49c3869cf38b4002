import { useEffect, useId, useRef, useState } from 'react';
import type { Texts } from '../generate-prompt/texts.js';
import type { Filter, PageApi } from './api.js';
import { HistoryItem } from './history-item.js';
import type { PageTexts } from './page-texts.js';
import { useHistory } from './use-history.js';

interface HistoryProps {
  api: PageApi;
  /** Changes whenever there may be something new. */
  version: string;
  texts: Texts;
  page: PageTexts;
  onRefused: () => void;
  /** null: not now. */
  onUseAgain: ((instruction: string) => void) | null;
}

/** What the account has generated, newest first: to be found again, copied, and started from. */
export function History({ api, version, texts, page, onRefused, onUseAgain }: HistoryProps) {
  const id = useId();
  const [filter, setFilter] = useState<Filter>({ status: '', search: '' });
  const { items, problem, hasMore, loadMore } = useHistory(api, filter, version, onRefused);
  const list = useRef<HTMLUListElement>(null);
  /** The last item that was shown when older ones were asked for. */
  const lastBefore = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!items || lastBefore.current === undefined) return;
    const next = items.findIndex(({ taskId }) => taskId === lastBefore.current) + 1;
    if (next === items.length && hasMore) return;
    lastBefore.current = undefined;
    // With the last page the button has gone, and the focus with it.
    if (hasMore || document.activeElement !== document.body) return;
    list.current?.querySelectorAll('summary')[Math.min(next, items.length - 1)]?.focus();
  }, [items, hasMore]);
  const count = (shown: number, more: boolean): string =>
    `${new Intl.NumberFormat(texts.locale).format(shown)}${more ? '+' : ''}`;
  const filtered = filter.status !== '' || filter.search !== '';
  return (
    <section className="history" aria-labelledby={id}>
      <h2 className="gp-title" id={id}>
        {page.history}
      </h2>
      <div className="filters" role="search">
        <input
          type="search"
          className="gp-input"
          aria-label={page.search}
          placeholder={page.search}
          maxLength={200}
          value={filter.search}
          onChange={(event) => {
            setFilter({ ...filter, search: event.target.value });
          }}
        />
        <select
          className="gp-input"
          aria-label={page.filter}
          value={filter.status}
          onChange={(event) => {
            setFilter({ ...filter, status: event.target.value as Filter['status'] });
          }}
        >
          <option value="">{page.statuses.all}</option>
          <option value="processing">{page.statuses.processing}</option>
          <option value="completed">{page.statuses.completed}</option>
          <option value="failed">{page.statuses.failed}</option>
        </select>
      </div>
      <p className="gp-complaint" role="alert" dir="auto">
        {problem && (problem.told ?? page.unreachable)}
      </p>
      <p className="gp-hint" role="status">
        {items?.length === 0 && (filtered ? page.noneFound : page.noneYet)}
        {items && items.length > 0 && filtered && page.found(count(items.length, hasMore))}
      </p>
      <ul className="items" ref={list}>
        {items?.map((item) => (
          <HistoryItem key={item.taskId} item={item} texts={texts} page={page} onUseAgain={onUseAgain} />
        ))}
      </ul>
      {hasMore && (
        <button
          type="button"
          className="gp-button"
          onClick={() => {
            lastBefore.current = items?.at(-1)?.taskId;
            loadMore();
          }}
        >
          {page.more}
        </button>
      )}
    </section>
  );
}
