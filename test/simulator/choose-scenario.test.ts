import assert from 'node:assert/strict';
import { ApiError } from '../../src/api/api-error.js';
import { chooseScenario } from '../../src/simulator/choose-scenario.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';

const chosen = (prompt: string, header?: string): string => chooseScenario(prompt, header).name;

describe('A scenario is chosen', () => {
  it('by its name in the prompt or in the header, each of them', () => {
    for (const { name } of SCENARIOS) {
      assert.equal(chosen(`We sell shoes (${name.toUpperCase()}). Be kind.`), name);
      assert.equal(chosen('We sell shoes.', ` ${name} `), name);
    }
  });

  it('as the normal one where nothing names another', () => {
    assert.equal(chosen('We sell shoes. Be kind.'), 'normal');
    assert.equal(chosen('We sell shoes. Be kind.', ''), 'normal');
  });

  it('by whole words alone', () => {
    for (const text of ['breakfast', 'slowly', '1500', '500ml', 'fast_food', 'no_subscriptions', 'slowé', 'überfast']) {
      assert.equal(chosen(text), 'normal', text);
    }
    for (const text of ['fast', 'very fast!', 'fast-moving', 'is it "Fast"?', 'خیلی fast باش']) {
      assert.equal(chosen(text), 'fast', text);
    }
  });

  it('by the first word of several', () => {
    assert.equal(chosen('slow, not fast'), 'slow');
    assert.equal(chosen('fast, not slow'), 'fast');
  });

  it('by the header, whatever the prompt says', () => {
    assert.equal(chosen('stuck', 'fast'), 'fast');
    assert.equal(chosen('fast 500 stuck', 'Normal'), 'normal');
  });

  it('by no other header: the answer is 400, and names all there are', () => {
    assert.throws(
      () => chooseScenario('fast', 'quick'),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.code, 'invalid_request');
        for (const { name } of SCENARIOS) assert.match(error.message, new RegExp(`\\b${name}\\b`));
        return true;
      },
    );
  });
});
