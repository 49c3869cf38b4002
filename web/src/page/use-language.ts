import { useEffect, useState } from 'react';
import { persian } from '../generate-prompt/persian.js';
import { english, type Texts } from '../generate-prompt/texts.js';
import { englishPage, persianPage, type PageTexts } from './page-texts.js';

export interface Language {
  texts: Texts;
  page: PageTexts;
  /** The code of the other one. */
  other: string;
  toggle: () => void;
}

const LANGUAGES = {
  en: { texts: english, page: englishPage },
  fa: { texts: persian, page: persianPage },
};
type Code = keyof typeof LANGUAGES;

const STORAGE_KEY = 'prompt-generation:language';

/** The language of the page: what was chosen here before, else Persian for browsers that prefer it, else English. */
export function useLanguage(): Language {
  const [code, setCode] = useState<Code>(firstCode);
  const { texts, page } = LANGUAGES[code];
  useEffect(() => {
    document.documentElement.lang = texts.locale;
    document.documentElement.dir = texts.dir;
    document.title = page.title;
  }, [texts, page]);
  const other = code === 'en' ? 'fa' : 'en';
  return {
    texts,
    page,
    other,
    toggle: () => {
      setCode(other);
      try {
        localStorage.setItem(STORAGE_KEY, other);
      } catch {
        // Storage is forbidden here: the choice lasts until the page is left.
      }
    },
  };
}

function firstCode(): Code {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(STORAGE_KEY);
  } catch {
    // Storage is forbidden here: nothing was chosen before.
  }
  return (chosen ?? navigator.language).startsWith('fa') ? 'fa' : 'en';
}
