import { useEffect, useRef, useState, type FocusEvent, type RefObject } from 'react';
import { isActive, type GenerationClientOptions } from '../client/types.js';
import { useGeneratePrompt, type UseGeneratePrompt } from '../use-generate-prompt.js';
import { Announcer } from './announcer.js';
import { InstructionForm } from './instruction-form.js';
import { complaintOf } from './instruction.js';
import { Problem, type ActionTargets } from './problem.js';
import { Progress } from './progress.js';
import { Result } from './result.js';
import { english, type Texts } from './texts.js';
import { useAvailableTokens, useNewest } from './use-available-tokens.js';

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
  /** The text area is focused as soon as it is there. */
  autoFocus?: boolean;
  /** Of the element around everything. */
  className?: string;
}

export type GeneratePromptProps = ViewProps & GenerationClientOptions;

/** From a rough instruction to its prompt, with everything in between. Its style sheet is `prompt-generation-web/style.css`. */
export function GeneratePrompt({ token, baseUrl, storage, storageKey, live, reuse, ...view }: GeneratePromptProps) {
  const { availableTokens } = view;
  const generation = useGeneratePrompt({ token, baseUrl, storage, storageKey, live, reuse });
  const read = useAvailableTokens({ token, baseUrl }, availableTokens === undefined);
  const shown = availableTokens === undefined ? read : availableTokens;
  return <GeneratePromptView {...view} availableTokens={shown} generation={generation} />;
}

export type GeneratePromptViewProps = ViewProps & { generation: UseGeneratePrompt };

/** The component over a generation that the page around it holds, so that it can act on its states, too. */
export function GeneratePromptView(props: GeneratePromptViewProps) {
  const { generation, initialText = '', availableTokens = null, actions = {}, onUse, texts = english } = props;
  const { state, start, cancel, reset } = generation;
  const [draft, setDraft] = useState<string | null>(null);
  // A task found again after a reload brings its text along.
  const text = draft ?? generation.manualPrompt ?? initialText;
  const [wasEmpty, setWasEmpty] = useState(false);
  const complaint = complaintOf(text, wasEmpty);
  const busy = isActive(generation);
  const available = useNewest(availableTokens, generation.tokens?.available ?? null);
  const input = useRef<HTMLTextAreaElement>(null);
  const region = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const followFocus = useFocusFollowing(state, { input, region, heading });

  const format = (number: number): string => new Intl.NumberFormat(texts.locale).format(number);
  const submit = (): void => {
    const wrong = complaintOf(text, true);
    setWasEmpty(wrong === 'empty');
    if (wrong) {
      input.current?.focus();
      return;
    }
    setDraft(text);
    start(text);
  };
  return (
    <div
      className={`gp ${props.className ?? ''}`}
      lang={texts.locale}
      dir={texts.dir}
      data-state={state}
      onFocus={followFocus.onFocus}
      onBlur={followFocus.onBlur}
    >
      <InstructionForm
        text={text}
        onText={setDraft}
        onSubmit={submit}
        complaint={complaint}
        busy={busy}
        autoFocus={props.autoFocus ?? false}
        available={available}
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
          onRetry={submit}
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
          onRetry={submit}
          heading={heading}
        />
      )}
    </div>
  );
}

interface Focusable {
  input: RefObject<HTMLElement | null>;
  region: RefObject<HTMLElement | null>;
  heading: RefObject<HTMLElement | null>;
}

/**
 * Leads the focus to what is new, where the component had it: the button that was pressed is disabled or gone. Somebody
 * who is elsewhere on the page is left there.
 */
function useFocusFollowing(
  state: UseGeneratePrompt['state'],
  { input, region, heading }: Focusable,
): { onFocus: () => void; onBlur: (event: FocusEvent) => void } {
  const phase = isActive({ state }) ? 'running' : state;
  const before = useRef(phase);
  const hadFocus = useRef(false);
  useEffect(() => {
    if (before.current === phase) return;
    before.current = phase;
    if (!hadFocus.current) return;
    const target = phase === 'running' ? region : phase === 'idle' ? input : heading;
    target.current?.focus();
  }, [phase, input, region, heading]);
  return {
    onFocus: () => {
      hadFocus.current = true;
    },
    // What is disabled or removed while it has the focus tells of no blur, and so counts as having it.
    onBlur: ({ currentTarget, relatedTarget }) => {
      hadFocus.current = currentTarget.contains(relatedTarget);
    },
  };
}
