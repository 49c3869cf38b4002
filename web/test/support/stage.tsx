import { StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { BatchError, cancelBatch, generateBatch, type Batch } from '../../src/client.js';
import {
  createGenerationClient,
  english,
  GeneratePrompt,
  isActive,
  persian,
  useGeneratePrompt,
  type Generation,
  type GeneratePromptProps,
} from '../../src/index.js';

/** What a test may say about the component it mounts: data alone, as it comes from another process. */
export interface Scene {
  token: string;
  language?: 'en' | 'fa';
  actions?: GeneratePromptProps['actions'];
  /** The hook alone, with buttons of the test. */
  hookOnly?: boolean;
  /** false: it polls. */
  live?: boolean;
}

/** What the test calls in the page. */
export interface StageApi {
  mount(scene: Scene): void;
  unmount(): void;
  /** Prompts that were used. */
  used: string[];
  /** What the client alone showed of the last generation. */
  shown: Generation[];
  /** Generates with the client alone, to the end. */
  generate(token: string, text: string, reuse?: boolean): Promise<void>;
  /** Generates with the client alone: with one token and, where that is refused, another. Resolves with the end. */
  generateWith(token: string, renewed: string): Promise<Pick<Generation, 'state' | 'errorCode'>>;
  /** What the last batch told, and the code of its error where it ended with one. */
  batch: { states: Batch[]; over: boolean; errorCode: string | null };
  /** Starts a batch; what becomes of it is in `batch`. */
  generateBatch(token: string, texts: string[]): void;
  /** Cancels the last batch by what it told. */
  cancelBatch(token: string): Promise<void>;
}

let root: Root | undefined;

const stage: StageApi = {
  used: [],
  shown: [],
  generate: (token, text, reuse) =>
    new Promise((resolve) => {
      stage.shown = [];
      const client = createGenerationClient({ token, storage: null, reuse });
      client.subscribe((generation) => {
        stage.shown.push(generation);
        if (generation.state !== 'idle' && !isActive(generation)) resolve();
      });
      client.start(text);
    }),
  generateWith: (token, renewed) =>
    new Promise((resolve) => {
      const client = createGenerationClient({
        token: (refused) => (refused === undefined ? token : renewed),
        storage: null,
      });
      client.subscribe(({ state, errorCode }) => {
        if (state === 'completed' || state === 'failed') resolve({ state, errorCode });
      });
      client.start('We sell shoes.');
    }),
  batch: { states: [], over: false, errorCode: null },
  generateBatch(token, texts) {
    const batch: StageApi['batch'] = { states: [], over: false, errorCode: null };
    stage.batch = batch;
    void generateBatch(texts, { token, onChange: (state) => batch.states.push(state) })
      .catch((error: unknown) => {
        if (!(error instanceof BatchError)) throw error;
        batch.errorCode = error.code;
      })
      .finally(() => {
        batch.over = true;
      });
  },
  cancelBatch: (token) => cancelBatch(stage.batch.states.at(-1)?.batch_id ?? '', { token }),
  mount({ token, language = 'en', actions = {}, hookOnly = false, live = true }) {
    const texts = language === 'fa' ? persian : english;
    document.documentElement.lang = texts.locale;
    document.documentElement.dir = texts.dir;
    show(
      hookOnly ? (
        <HookOnly token={token} live={live} />
      ) : (
        <GeneratePrompt
          token={token}
          live={live}
          texts={texts}
          actions={actions}
          onUse={(prompt) => {
            stage.used.push(prompt);
          }}
        />
      ),
    );
  },
  unmount() {
    root?.unmount();
    root = undefined;
  },
};

function show(content: ReactNode): void {
  root ??= createRoot(document.getElementById('root') ?? document.body);
  root.render(
    <StrictMode>
      <main>
        <h1>A page</h1>
        {content}
      </main>
    </StrictMode>,
  );
}

/** A consumer of the hook as a team writes one: everything it says, as text. */
function HookOnly({ token, live }: { token: string; live: boolean }) {
  const { start, cancel, reset, ...generation } = useGeneratePrompt({ token, live });
  return (
    <>
      <button
        type="button"
        onClick={() => {
          start('slow twice');
          start('slow twice');
        }}
      >
        Start twice
      </button>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
      <button type="button" onClick={reset}>
        Reset
      </button>
      <pre data-testid="generation">{JSON.stringify(generation)}</pre>
    </>
  );
}

Object.assign(window, { stage });
