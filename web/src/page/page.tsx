import { useCallback, useMemo, useState } from 'react';
import { isActive, type TokenSource } from '../client/types.js';
import { GeneratePromptView } from '../generate-prompt/generate-prompt.js';
import type { ActionTargets } from '../generate-prompt/problem.js';
import { useGeneratePrompt } from '../use-generate-prompt.js';
import { BASE_URL, createPageApi, type PageConfig } from './api.js';
import { History } from './history.js';
import { SignIn } from './sign-in.js';
import { useAccount } from './use-account.js';
import { useLanguage, type Language } from './use-language.js';
import { useSession, type Session } from './use-session.js';

/** The whole page: who is signed in, the component, and what was generated before. */
export function Page({ config }: { config: PageConfig }) {
  const language = useLanguage();
  const { page } = language;
  const session = useSession(config);
  return (
    <div className="gp page">
      <header className="page-head">
        <h1>
          <Mark />
          {page.title}
        </h1>
        <button type="button" className="gp-button language" lang={language.other} onClick={language.toggle}>
          {page.otherLanguage}
        </button>
      </header>
      <main>
        <p className="lead">{page.lead}</p>
        {config.demo_model && <p className="demo">{page.demoModel}</p>}
        {(session.token === null || session.refused) && (
          <SignIn page={page} refused={session.refused} onToken={session.signIn} />
        )}
        {session.token !== null && (
          // Hidden, not gone, while a new token is asked for: what was typed stays. It is gone for somebody else.
          <div hidden={session.refused} key={session.owner}>
            <Workplace config={config} session={session} token={session.token} language={language} />
          </div>
        )}
      </main>
      {BASE_URL === '' && (
        // The documents link to each other from the root.
        <footer className="gp-hint">
          <a href="/docs">{page.reference}</a> · <a href="/docs/guide">{page.guide}</a>
        </footer>
      )}
    </div>
  );
}

interface WorkplaceProps {
  config: PageConfig;
  session: Session;
  token: TokenSource;
  language: Language;
}

/** What somebody who is signed in sees. */
function Workplace({ config, session, token, language }: WorkplaceProps) {
  const { texts, page } = language;
  const api = useMemo(() => createPageApi(token), [token]);
  const generation = useGeneratePrompt({ token, baseUrl: BASE_URL });
  // What it costs shows in the account as soon as it is held, and again when it is settled.
  const version = `${generation.taskId ?? ''} ${generation.progress >= 50 || generation.state === 'failed' ? generation.state : ''}`;
  const account = useAccount(api, version, session.onRefused);
  const [instruction, setInstruction] = useState({ text: '', times: 0 });
  const [used, setUsed] = useState({ taskId: '', note: '' });
  const { reset } = generation;

  const useAgain = useCallback(
    (text: string): void => {
      reset();
      setInstruction(({ times }) => ({ text, times: times + 1 }));
      window.scrollTo({ top: 0 });
    },
    [reset],
  );
  const use = (prompt: string): void => {
    void deliver(prompt, generation.taskId).then((delivery) => {
      const note = { taken: '', copied: page.used, failed: page.useFailed }[delivery];
      setUsed({ taskId: generation.taskId ?? '', note });
    });
  };
  const format = new Intl.NumberFormat(texts.locale);
  return (
    <div className="workplace">
      <section className="gp-card stage" aria-label={page.title}>
        {account && (
          <p className="balance">
            <span className="gp-hint">{account.owner}</span>
            <strong>{page.balance(format.format(account.tokens.available))}</strong>
          </p>
        )}
        <GeneratePromptView
          key={instruction.times}
          generation={generation}
          initialText={instruction.text}
          autoFocus={instruction.times > 0}
          actions={actionsOf(config)}
          onUse={use}
          texts={texts}
        />
        <p className="gp-hint" role="status">
          {generation.taskId === used.taskId ? used.note : ''}
        </p>
        {config.temporal_runs_url !== undefined && generation.taskId !== null && (
          <p className="gp-hint">
            <a href={config.temporal_runs_url + generation.taskId} target="_blank" rel="noreferrer">
              {page.temporalRun}
            </a>
          </p>
        )}
      </section>
      <History
        api={api}
        version={version}
        texts={texts}
        page={page}
        onRefused={session.onRefused}
        onUseAgain={isActive(generation) ? null : useAgain}
      />
    </div>
  );
}

/** Heard by a page that hosts this one; where it takes the prompt it calls `preventDefault()`. */
const USE_EVENT = 'prompt-generation:use';

/** Hands the prompt to the host page or, where there is none, to the clipboard. */
async function deliver(prompt: string, taskId: string | null): Promise<'taken' | 'copied' | 'failed'> {
  const event = new CustomEvent(USE_EVENT, { detail: { prompt, taskId }, cancelable: true });
  if (!window.dispatchEvent(event)) return 'taken';
  try {
    await navigator.clipboard.writeText(prompt);
    return 'copied';
  } catch {
    // Browsers allow it on https and localhost only.
    return 'failed';
  }
}

function actionsOf({ buy_tokens_url, renew_subscription_url, support_url }: PageConfig): ActionTargets {
  return {
    ...(buy_tokens_url === undefined ? {} : { buy_tokens: buy_tokens_url }),
    ...(renew_subscription_url === undefined ? {} : { renew_subscription: renew_subscription_url }),
    ...(support_url === undefined ? {} : { contact_support: support_url }),
  };
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" />
      <path d="M9 11h14M9 16h14M9 21h8" />
    </svg>
  );
}
