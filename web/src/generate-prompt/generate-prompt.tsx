import { useEffect, useRef, useState, type RefObject } from 'react';
import { isActive, type GenerationClientOptions } from '../client/types.js';
import { useGeneratePrompt, type UseGeneratePrompt } from '../use-generate-prompt.js';
import { Announcer } from './announcer.js';
import { InstructionForm } from './instruction-form.js';
import { Problem, type ActionTargets } from './problem.js';
import { Progress } from './progress.js';
import { Result } from './result.js';
import { english, type Texts } from './texts.js';
import { useAvailableTokens } from './use-available-tokens.js';

interface ViewProps {
  /** What stands in the text area at first. */
  initialText?: string;
  /** What the account can spend, in tokens, shown beside the button: null for nothing; absent: `GeneratePrompt` reads it. */
  availableTokens?: number | null | undefined;
  /** Where "buy tokens", "renew subscription" and "contact support" lead: addresses or callbacks. */
  actions?: ActionTargets;
  /** Called with the prompt, as the user edited it. Absent: no "use this prompt" button. */
  onUse?: ((prompt: string) => void) | undefined;
  /** `english`, `persian` or your own. */
  texts?: Texts;
  /** Of the element around everything. */
  className?: string;
}

export type GeneratePromptProps = ViewProps & GenerationClientOptions;

/** From a rough instruction to its prompt, with everything in between. Its style sheet is `prompt-generation-web/style.css`. */
export function GeneratePrompt({ token, baseUrl, storage, storageKey, ...view }: GeneratePromptProps) {
  const generation = useGeneratePrompt({ token, baseUrl, storage, storageKey });
  const read = useAvailableTokens({ token, baseUrl }, view.availableTokens === undefined);
  return <GeneratePromptView {...view} availableTokens={view.availableTokens ?? read} generation={generation} />;
}

export type GeneratePromptViewProps = ViewProps & { generation: UseGeneratePrompt };

/** The component over a generation that the page around it holds, so that it can act on its states, too. */
export function GeneratePromptView(props: GeneratePromptViewProps) {
  const { generation, initialText = '', availableTokens, actions = {}, onUse, texts = english, className } = props;
  const { state, start, cancel, reset } = generation;
  const [draft, setDraft] = useState<string | null>(null);
  // A task found again after a reload brings its text along.
  const text = draft ?? generation.manualPrompt ?? initialText;
  const busy = isActive(generation);
  const input = useRef<HTMLTextAreaElement>(null);
  const region = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const root = useRef<HTMLDivElement>(null);
  useFocusFollowing(state, { root, input, region, heading });

  const format = (number: number): string => new Intl.NumberFormat(texts.locale).format(number);
  const startWith = (instruction: string): void => {
    setDraft(instruction);
    start(instruction);
  };
  const retry = (): void => {
    startWith(generation.manualPrompt ?? text);
  };
  return (
    <div className={`gp ${className ?? ''}`} lang={texts.locale} dir={texts.dir} data-state={state} ref={root}>
      <InstructionForm
        text={text}
        onText={setDraft}
        onSubmit={() => {
          startWith(text);
        }}
        busy={busy}
        available={generation.tokens?.available ?? availableTokens ?? null}
        texts={texts}
        format={format}
        input={input}
      />
      <Announcer generation={generation} texts={texts} />
      {busy && <Progress generation={generation} texts={texts} onCancel={cancel} region={region} />}
      {generation.state === 'completed' && (
        <Result
          key={generation.taskId}
          generation={generation}
          texts={texts}
          format={format}
          onUse={onUse}
          onRetry={retry}
          onStartOver={() => {
            setDraft('');
            reset();
          }}
          heading={heading}
        />
      )}
      {(generation.state === 'failed' || generation.state === 'timed_out') && (
        <Problem
          generation={generation}
          targets={actions}
          texts={texts}
          format={format}
          onRetry={retry}
          heading={heading}
        />
      )}
    </div>
  );
}

interface Focusable {
  root: RefObject<HTMLElement | null>;
  input: RefObject<HTMLElement | null>;
  region: RefObject<HTMLElement | null>;
  heading: RefObject<HTMLElement | null>;
}

/**
 * Leads the focus to what is new: the button that had it is disabled or gone. Somebody who is elsewhere on the page
 * meanwhile is left there.
 */
function useFocusFollowing(state: UseGeneratePrompt['state'], { root, input, region, heading }: Focusable): void {
  const phase = isActive({ state }) ? 'running' : state;
  const before = useRef(phase);
  useEffect(() => {
    if (before.current === phase) return;
    before.current = phase;
    const focused = document.activeElement;
    const isOurs = focused === null || focused === document.body || root.current?.contains(focused);
    if (!isOurs) return;
    const target = phase === 'running' ? region : phase === 'idle' ? input : heading;
    target.current?.focus({ preventScroll: phase === 'idle' });
  }, [phase, root, input, region, heading]);
}
