import { useRef } from 'react';
import type { Generation } from '../client/types.js';
import { CopyButton } from '../generate-prompt/copy-button.js';
import type { Texts } from '../generate-prompt/texts.js';
import type { Listed } from './api.js';
import type { PageTexts } from './page-texts.js';

interface HistoryItemProps {
  item: Listed;
  texts: Texts;
  page: PageTexts;
  /** null: not now. */
  onUseAgain: ((instruction: string) => void) | null;
}

/** One generation: a line, and behind it everything. */
export function HistoryItem({ item, texts, page, onUseAgain }: HistoryItemProps) {
  const { generation, createdAt } = item;
  const { prompt, tokens } = generation;
  const instruction = generation.manualPrompt ?? '';
  const state = stateOf(generation);
  const shown = useRef<HTMLDivElement>(null);
  const when = new Intl.DateTimeFormat(texts.locale, { dateStyle: 'medium', timeStyle: 'short' });
  const numbers = new Intl.NumberFormat(texts.locale);
  const format = (number: number): string => numbers.format(number);
  return (
    <li>
      <details className="item">
        <summary>
          <span className="item-text" dir="auto">
            {instruction}
          </span>
          <span className="gp-row gp-hint">
            <span className="badge" data-state={state}>
              {page.states[state]}
            </span>
            <time dateTime={createdAt.toISOString()}>{when.format(createdAt)}</time>
            {tokens?.charged ? <span>{page.charged(format(tokens.charged))}</span> : null}
          </span>
        </summary>
        {prompt !== null && (
          <div ref={shown} className="gp-prompt" dir="auto" tabIndex={0} role="group" aria-label={page.prompt}>
            {prompt}
          </div>
        )}
        {generation.state === 'failed' && (
          <p className="gp-complaint" dir="auto">
            {texts.error(generation, {
              required: format(tokens?.required ?? 0),
              available: format(tokens?.available ?? 0),
            })}
          </p>
        )}
        {instruction !== '' && (
          <div className="gp-row">
            {prompt !== null && <CopyButton text={prompt} source={shown} texts={texts} />}
            <button
              type="button"
              className="gp-button"
              disabled={onUseAgain === null}
              onClick={() => {
                onUseAgain?.(instruction);
              }}
            >
              {page.useAgain}
            </button>
          </div>
        )}
      </details>
    </li>
  );
}

function stateOf({ state, generatedByAi }: Generation): keyof PageTexts['states'] {
  if (state === 'completed') return generatedByAi ? 'completed' : 'fallback';
  return state === 'failed' ? 'failed' : 'processing';
}
