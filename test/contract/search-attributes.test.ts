import assert from 'node:assert/strict';
import { attributePairs, SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.js';

describe('A search attribute', () => {
  it('is no longer than an SQL database lists, in whole characters', () => {
    const [pair] = attributePairs({ model: '😀'.repeat(300) });
    assert.deepEqual(pair, { key: SEARCH_ATTRIBUTES.model, value: '😀'.repeat(255) });
    assert.deepEqual(attributePairs({ owner: 'o'.repeat(255) })[0]?.value, 'o'.repeat(255));
  });

  it('keeps its name and type: queries that operators saved depend on it', () => {
    assert.deepEqual(
      Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => `${name} ${type}`),
      [
        'PromptOwner KEYWORD',
        'PromptBusinessType KEYWORD',
        'PromptState KEYWORD',
        'PromptStep KEYWORD',
        'PromptErrorCode KEYWORD',
        'PromptGeneratedByAi BOOL',
        'PromptTokensCharged INT',
        'PromptModel KEYWORD',
      ],
    );
  });
});
