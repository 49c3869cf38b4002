import assert from 'node:assert/strict';
import { readConfig } from '../../src/config.js';
import { demoPrompt, startDemoModel, type DemoModel } from '../../src/dev/demo-model.js';
import { composeRequest } from '../../src/llm/compose-request.js';
import { createOpenAiLlm } from '../../src/llm/openai-llm.js';

describe('The demo model', () => {
  let model: DemoModel;
  before(async () => {
    model = await startDemoModel({ quick: true });
  });
  after(() => model.stop());

  const ask = async (text: string, { maxOutputTokens = readConfig({}).maxOutputTokens } = {}) => {
    let written = '';
    const answer = await createOpenAiLlm(model.config).generate(composeRequest('You sell shoes.', text), {
      maxOutputTokens,
      signal: new AbortController().signal,
      onText: (text) => (written += text),
    });
    assert.equal(written, answer.text);
    return answer;
  };

  for (const text of [
    'Be kind.',
    'We sell shoes. Be friendly!\nNo refunds after 14 days.',
    'مهربان باش. کفش می‌فروشیم.',
  ]) {
    it(`writes the sentences of "${text.slice(0, 20)}" into a prompt, and says that it is the demo model`, async () => {
      const { text: prompt, model: name, usage, finishReason } = await ask(text);
      assert.equal(prompt, demoPrompt(text));
      for (const sentence of text.split(/(?<=[.!])\s/)) assert.ok(prompt.includes(`- ${sentence}`));
      assert.match(prompt, /Written by the bundled demo model/);
      assert.equal(name, 'demo-model');
      assert.equal(finishReason, 'stop');
      assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
    });
  }

  it('answers a text of any length', async () => {
    for (const length of [500, 2_000, 10_000]) {
      assert.ok((await ask('x'.repeat(length))).text.includes('x'.repeat(length)));
    }
  });

  it('writes no more than it is allowed to', async () => {
    const { text, usage, finishReason } = await ask('Be kind.', { maxOutputTokens: 50 });
    assert.equal(usage.completion_tokens, 50);
    assert.equal(finishReason, 'length');
    assert.ok(demoPrompt('Be kind.').startsWith(text));
  });
});
