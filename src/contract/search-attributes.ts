import type { FailureCode } from './failures.js';
import type { Snapshot } from './snapshot.js';
import type { Step } from './steps.js';

/**
 * What Temporal lists, filters and counts generations by: names and types, as they are registered in its namespace. They
 * are never encrypted: ids, states and figures, never a text of the user. Changing one breaks queries that operators saved.
 */
export const SEARCH_ATTRIBUTES = {
  owner: { name: 'PromptOwner', type: 'KEYWORD' },
  businessType: { name: 'PromptBusinessType', type: 'KEYWORD' },
  state: { name: 'PromptState', type: 'KEYWORD' },
  step: { name: 'PromptStep', type: 'KEYWORD' },
  errorCode: { name: 'PromptErrorCode', type: 'KEYWORD' },
  generatedByAi: { name: 'PromptGeneratedByAi', type: 'BOOL' },
  tokensCharged: { name: 'PromptTokensCharged', type: 'INT' },
  model: { name: 'PromptModel', type: 'KEYWORD' },
} as const;

/** Their values; '' is not known yet, or none. */
export interface SearchAttributeValues {
  owner: string;
  businessType: string;
  state: Snapshot['status'];
  /** The one it is at, or was at when it ended. */
  step: Step;
  errorCode: FailureCode | '';
  generatedByAi: boolean;
  tokensCharged: number;
  model: string;
}

/** Those of a start: all of them, so that Temporal refuses a start, and not the run later, where it does not know one. */
export const firstAttributes = (owner: string): SearchAttributeValues => ({
  owner,
  businessType: '',
  state: 'queued',
  step: 'queued',
  errorCode: '',
  generatedByAi: false,
  tokensCharged: 0,
  model: '',
});

type AttributeName = keyof SearchAttributeValues;

/** An attribute and its value, as Temporal's SDK takes them. */
export type SearchAttributePair = {
  [Name in AttributeName]: { key: (typeof SEARCH_ATTRIBUTES)[Name]; value: SearchAttributeValues[Name] };
}[AttributeName];

/** A longer one would never get into Temporal's list where that is kept in an SQL database. In characters. */
const VALUE_MAX_CHARS = 255;

/** Values as the SDK takes them. */
export const attributePairs = (values: Partial<SearchAttributeValues>): SearchAttributePair[] =>
  Object.entries(values).map(
    ([name, value]) =>
      ({
        key: SEARCH_ATTRIBUTES[name as AttributeName],
        value: typeof value === 'string' ? Array.from(value).slice(0, VALUE_MAX_CHARS).join('') : value,
      }) as SearchAttributePair,
  );

/** What a generation is found by in this state; `step` as it was entered last. */
export function attributesOf(snapshot: Snapshot, step: Step): Partial<SearchAttributeValues> {
  const { status: state } = snapshot;
  switch (snapshot.status) {
    case 'queued':
    case 'processing':
      return { state, step };
    case 'completed': {
      const { generated_by_ai: generatedByAi, model, tokens } = snapshot;
      return { state, step, generatedByAi, model, tokensCharged: tokens.charged };
    }
    case 'failed':
      return { state, step, errorCode: snapshot.error_code };
  }
}
