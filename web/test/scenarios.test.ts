import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { keepScreenshot, startBrowser } from '../../test/support/browser.js';
import { ownPort } from '../../test/support/place.js';
import { runProgram, untilReady, type Program } from '../../test/support/program.js';
import { SCENARIOS } from '../../src/simulator/scenarios.js';
import { StagePage } from './support/stage-page.js';

/** What the component shows in each scenario of the simulator, in the middle of it or at its end. */
const SHOWN: Record<string, [where: string, text: string]> = {
  normal: ['.gp-status', '70% - Waiting for AI response...'],
  fast: ['.gp-result', 'tokens charged'],
  slow: ['.gp-status', '70% - Waiting for AI response...'],
  retrying: ['.gp-note-line', 'The AI did not answer. Trying again: attempt 2.'],
  fallback: ['.gp-fallback', 'AI generation failed, using simple combination. No tokens were charged.'],
  stuck: ['.gp-status', '50% - Generating enhanced prompt with AI...'],
  insufficient_tokens: ['.gp-problem', 'You need at least 700 tokens. Available: 250'],
  no_tokens_remaining: ['.gp-problem', 'You need at least 700 tokens. Available: 0'],
  no_subscription: ['.gp-problem', 'You have no active subscription. Please choose a plan.'],
  subscription_expired: ['.gp-problem', 'Your subscription has expired. Please renew it.'],
  subscription_deactivated: ['.gp-problem', 'Your subscription is deactivated. Please contact support.'],
  timed_out: ['.gp-problem', 'The generation took too long. No tokens were charged. Please try again.'],
  internal: ['.gp-problem', 'Something went wrong on our side. No tokens were charged. Please try again.'],
  stale: ['.gp-note-line', 'This may be out of date. Looking again...'],
  offline: ['.gp-note-line', 'Connection interrupted. Reconnecting...'],
  down: ['.gp-note-line', 'Connection interrupted. Reconnecting...'],
  expired: ['.gp-problem', 'Task not found. It may have expired or never existed.'],
  signed_out: ['.gp-problem', 'The token is malformed, expired or not ours.'],
  '429': ['.gp-problem', 'At most 160 generations can be started in a minute. Please try again in 2 s.'],
  '500': ['.gp-problem', 'Something went wrong on our side. Please try again.'],
  '503': ['.gp-problem', 'The service cannot be reached. Please try again.'],
};

/** Pictures of what the real service can't be brought to in a test. */
const PICTURES = new Set(['retrying', 'stale', 'offline', 'internal', '429']);

describe('The component, in a browser, on the simulator', function () {
  this.timeout(60_000);
  let url: string;
  let program: Program;
  let browser: Browser;
  let stage: StagePage;
  let token: string;

  before(async () => {
    const PORT = await ownPort();
    url = `http://127.0.0.1:${PORT}`;
    program = runProgram('dist/simulator/main.js', { PORT, METRICS_PORT: await ownPort() });
    await untilReady(url, program);
    ({ demo_token: token } = (await (await fetch(`${url}/page-config.json`)).json()) as { demo_token: string });
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await program.stop();
  });
  afterEach(() => stage.close());

  for (const { name, description } of SCENARIOS) {
    it(`shows "${name}": ${description}`, async () => {
      const [where, text] = SHOWN[name] ?? assert.fail(`The test does not know what ${name} looks like`);
      stage = await StagePage.open(browser, url);
      await stage.mount({ token });
      await stage.generate(`Be kind, ${name}.`);
      await stage.page.locator(where, { hasText: text }).waitFor();
      await stage.assertAccessible();
      if (PICTURES.has(name)) await keepScreenshot(stage.page, `component-${name}`);
    });
  }

  for (const name of ['stale', 'offline', 'down']) {
    it(`comes through "${name}" to the prompt`, async () => {
      stage = await StagePage.open(browser, url);
      await stage.mount({ token });
      await stage.generate(`Be kind, ${name}.`);
      await stage.page.locator('.gp-result', { hasText: 'tokens charged' }).waitFor();
    });
  }
});
