import { createInitialize, type Job as Begun } from '../activities/initialize.js';
import { fallbackEnd } from '../contract/fallback.js';
import type { Failure, FailureCode, Refusal } from '../contract/failures.js';
import { HOLD_TTL_MS } from '../contract/limits.js';
import { outputCap, tokensToHold } from '../contract/money.js';
import type { GenerationEnd, StoredEnd } from '../contract/snapshot.js';
import { demoAnswer, demoPrompt } from '../dev/demo-model.js';
import { toStoredEnd } from '../ledger/stored-end.js';
import type { Ledger } from '../ledger/types.js';
import { composeRequest } from '../llm/compose-request.js';
import { modelIdOf, workKeyOf } from '../llm/work-key.js';
import type { Ending } from './scenarios.js';
import type { Task } from './task.js';

const MODEL = 'simulator';
/** Which model it is, for equal work. */
export const MODEL_ID = modelIdOf({ baseUrl: '', model: MODEL });
const NOTE = '(Written by the simulator, which only arranges your words. No model was asked.)';

/** What an owner has left where a scenario says that it is too little. */
const TOO_FEW_TOKENS = 250;

export interface JobDeps {
  ledger: Pick<Ledger, 'beginGeneration' | 'hold' | 'endGeneration'>;
  minimumTokens: number;
  maxOutputTokens: number;
}

/** The work on one task, and its money: what the four activities do, without a model. */
export interface Job {
  begin(): Promise<Begun>;
  /** Sets tokens aside; the account's refusal where it has too few, or no subscription. */
  hold(): Promise<Refusal | null>;
  /** What comes of it in the end. */
  outcome(ending: Exclude<Ending, 'forgotten'>): Promise<GenerationEnd>;
  /** Settles the money and stores the end. */
  finalize(end: GenerationEnd): Promise<StoredEnd>;
}

export function createJobs({ ledger, minimumTokens, maxOutputTokens }: JobDeps): (task: Task) => Job {
  const initialize = createInitialize({ ledger });

  return (task) => {
    const { taskId, owner, manualPrompt } = task;
    let begun: Promise<Begun> | undefined;
    let maxTokens = maxOutputTokens;
    const begin = () => (begun ??= initialize(task));
    const toHold = async () => {
      const { inputTokens } = await begin();
      return { inputTokens, ...tokensToHold({ inputTokens, maxOutputTokens, minimumTokens }) };
    };

    return {
      begin,

      async hold() {
        const { inputTokens, minimum, wanted } = await toHold();
        const holdId = `${taskId}/simulator`;
        const result = await ledger.hold({ holdId, taskId, owner, minimum, wanted, ttlMs: HOLD_TTL_MS });
        if (result.outcome === 'refused') return result.refusal;
        maxTokens = outputCap({ held: result.tokens, inputTokens, maxOutputTokens });
        return null;
      },

      async outcome(ending) {
        const { instruction, templateVersion } = await begin();
        switch (ending) {
          case 'prompt': {
            const request = composeRequest(instruction, manualPrompt);
            const { system, user } = request;
            const workKey = workKeyOf({ modelId: MODEL_ID, templateVersion, request });
            const { text, usage } = demoAnswer(`${system}\n${user}`, demoPrompt(manualPrompt, NOTE), maxTokens);
            return { status: 'completed', generatedByAi: true, prompt: text, model: MODEL, usage, workKey };
          }
          case 'fallback':
            return fallbackEnd(instruction, manualPrompt);
          default:
            return { status: 'failed', failure: failureOf(ending, (await toHold()).minimum) };
        }
      },

      async finalize(end) {
        // A task that is cancelled at once gets its row first: only with its text it tells the same request from another.
        await begin();
        return toStoredEnd(await ledger.endGeneration({ taskId, owner, end }));
      },
    };
  };
}

function failureOf(code: FailureCode, required: number): Failure {
  switch (code) {
    case 'insufficient_tokens':
      return { code, required, available: TOO_FEW_TOKENS };
    case 'no_tokens_remaining':
      return { code, required, available: 0 };
    default:
      return { code };
  }
}
