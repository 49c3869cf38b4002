import assert from 'node:assert/strict';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { keepScreenshot } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { tokenFor } from '../../test/support/program.js';
import { GENERATED } from '../../test/support/service.js';
import { onRealService } from './support/on-real-service.js';
import { StagePage } from './support/stage-page.js';
import type { Scene } from './support/stage.js';

const PAST = new Date(Date.now() - 60_000).toISOString();

onRealService('The component', (on) => {
  let stage: StagePage;

  afterEach(() => stage.close());

  const open = async (
    owner: string,
    scene: Partial<Scene> = {},
    options: Parameters<typeof StagePage.open>[2] = {},
  ): Promise<void> => {
    stage = await StagePage.open(on.browser, on.service.url, options);
    await stage.mount({ token: await tokenFor(owner), ...scene });
  };
  const prompt = () => stage.page.locator('div.gp-prompt');

  it('leads from the text to the prompt, through the steps, and says what it cost', async () => {
    await open(await on.service.owner());
    await stage.page.getByText('10,000 tokens available').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-idle');
    await stage.generate('slow, with a few words');
    await stage.status('50% - Generating enhanced prompt with AI...').waitFor();
    const bar = stage.page.getByRole('progressbar');
    assert.equal(await bar.getAttribute('aria-valuenow'), '50');
    assert.equal(await bar.getAttribute('aria-valuetext'), '50% - Generating enhanced prompt with AI...');
    assert.equal(await stage.page.getByLabel('Your instruction').isDisabled(), true);
    assert.equal(await stage.page.getByRole('button', { name: 'Generating...' }).isDisabled(), true);
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-running');
    on.service.open();
    await prompt().waitFor();
    assert.equal(await prompt().innerText(), GENERATED);
    await stage.page.getByText('150 tokens charged · 9,850 available').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-completed');
  });

  it('lets the prompt be edited, copied and used as it was edited', async () => {
    await open(await on.service.owner(), {}, { permissions: ['clipboard-read', 'clipboard-write'] });
    await stage.generate('We sell shoes.');
    await stage.page.getByRole('button', { name: 'Edit' }).click();
    const editor = stage.page.getByRole('textbox', { name: 'Edit your prompt' });
    assert.equal(await editor.inputValue(), GENERATED);
    await editor.fill('Another prompt.');
    await stage.assertAccessible();
    await stage.page.getByRole('button', { name: 'Done' }).click();
    await stage.page.getByRole('button', { name: 'Copy' }).click();
    await stage.page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await stage.page.evaluate(() => navigator.clipboard.readText()), 'Another prompt.');
    await stage.page.getByRole('button', { name: 'Use this prompt' }).click();
    assert.deepEqual(await stage.page.evaluate(() => window.stage.used), ['Another prompt.']);
    await stage.page.getByRole('button', { name: 'Start over' }).click();
    assert.equal(await stage.page.getByLabel('Your instruction').inputValue(), '');
    await stage.state('idle').waitFor();
  });

  it('selects the prompt where the browser does not let a page copy', async () => {
    await open(await on.service.owner());
    await stage.generate('We sell shoes.');
    await prompt().waitFor();
    await stage.page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
    });
    await stage.page.getByRole('button', { name: 'Copy' }).click();
    await stage.page.getByRole('button', { name: 'Press Ctrl+C to copy' }).waitFor();
    assert.equal(await stage.page.evaluate(() => getSelection()?.toString()), GENERATED);
  });

  const actions = { buy_tokens: '/shop', renew_subscription: '/plans', contact_support: 'mailto:help@example.com' };
  for (const [code, tokens, subscription, sentence, button] of [
    ['insufficient_tokens', 250, {}, 'You need at least 700 tokens. Available: 250', 'Buy tokens'],
    ['no_tokens_remaining', 0, {}, 'You need at least 700 tokens. Available: 0', 'Buy tokens'],
    ['no_subscription', 900, { status: 'none' }, 'You have no active subscription.', 'Renew subscription'],
    ['subscription_expired', 900, { expires_at: PAST }, 'Your subscription has expired.', 'Renew subscription'],
    ['subscription_deactivated', 900, { status: 'deactivated' }, 'is deactivated.', 'Contact support'],
  ] as const) {
    it(`shows ${code} with the button that helps`, async () => {
      const owner = await on.service.owner(tokens, { subscription: { status: 'active', ...subscription } });
      await open(owner, { actions });
      await stage.generate('We sell shoes.');
      await stage.problem(sentence).waitFor();
      const link = stage.page.getByRole('link', { name: button });
      assert.equal(Object.values(actions).includes((await link.getAttribute('href')) ?? ''), true);
      await stage.assertAccessible();
      await keepScreenshot(stage.page, `component-${code.replaceAll('_', '-')}`);
    });
  }

  it('has no button for an action that leads nowhere in this application', async () => {
    await open(await on.service.owner(0));
    await stage.generate('We sell shoes.');
    await stage.problem('You need at least 700 tokens.').waitFor();
    assert.equal(await stage.page.locator('.gp-problem').locator('button, a').count(), 0);
  });

  it('says that a fallback is one, and offers another try', async () => {
    await open(await on.service.owner());
    await stage.generate('refused: be kind');
    const note = stage.page.getByRole('note');
    await note.filter({ hasText: 'AI generation failed, using simple combination. No tokens were charged.' }).waitFor();
    assert.match(await prompt().innerText(), /refused: be kind$/);
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-fallback');
    const starts = () => stage.requests.filter((request) => request.startsWith('POST')).length;
    assert.equal(starts(), 1);
    await note.getByRole('button', { name: 'Try again' }).click();
    await eventually(() => {
      assert.equal(starts(), 2);
    });
    await note.waitFor();
  });

  it('cancels, and offers another try that is a new task', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, cancel me');
    await stage.status('50%').waitFor();
    await stage.page.getByRole('button', { name: 'Cancel' }).click();
    await stage.problem('The generation was cancelled. No tokens were charged.').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-cancelled');
    await stage.page.getByRole('button', { name: 'Try again' }).click();
    await stage.status('50%').waitFor();
    on.service.open(2);
    await prompt().waitFor();
    assert.deepEqual((await on.service.api.account(owner)).tokens, { balance: 9_850, held: 0, available: 9_850 });
  });

  it('asks for an instruction where there is none, and counts as the service does', async () => {
    await open(await on.service.owner(100_000));
    await stage.generate('  \n ');
    await stage.problem('Please write an instruction first.').waitFor();
    await stage.page.getByText('0 of 10,000 characters').waitFor();
    await stage.generate('👟'.repeat(10_001));
    await stage.problem('This is too long.').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-too-long');
    assert.deepEqual(stage.requests, []);
    await stage.generate(` ${'👟'.repeat(10_000)}`);
    await prompt().waitFor();
  });

  it('works by the keyboard alone, and leads the focus to what is new', async () => {
    await open(await on.service.owner());
    const { page } = stage;
    await page.getByRole('textbox').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('slow, by keyboard');
    await page.keyboard.press('Control+Enter');
    await stage.status('50%').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel');
    on.service.open();
    await prompt().waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Your prompt');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Copy');
  });

  it('tells a screen reader little, and always the end', async () => {
    await open(await on.service.owner(), { live: false }, { fakeClock: true });
    const { page } = stage;
    await page.evaluate(() => {
      const region = document.querySelector('[role=status]')!;
      const said: string[] = [];
      new MutationObserver(() => said.push(region.textContent)).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
      Object.assign(window, { said });
    });
    const steps = [10, 30, 50, 50, 50, 70, 90].map((progress) => ({ progress, message: `At ${progress}` }));
    const end = { progress: 100, message: 'Done', status: 'completed', prompt: 'You are kind.' };
    const answers = [...steps.map((step) => ({ ...step, status: 'processing' })), end];
    let polls = 0;
    await page.route(`**${GENERATE_ASYNC_PATH}status/*/`, (route) => route.fulfill({ json: answers[polls++] }));
    await stage.generate('For a screen reader');
    for (const [n, { progress, message }] of answers.entries()) {
      await eventually(async () => {
        await page.clock.runFor(100);
        assert.equal(polls > n, true);
      });
      if (progress < 100) await stage.status(`${progress}% - ${message}`).waitFor();
    }
    await prompt().waitFor();
    await page.clock.runFor(100);
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
    assert.equal(said.at(-1), 'Done');
    // One at the start, then one in 4 s at most: not each of the nine things there were to say.
    assert.ok(said.length <= 5, JSON.stringify(said));
  });

  it('leaves somebody alone who is elsewhere on the page', async () => {
    await open(await on.service.owner());
    const { page } = stage;
    await stage.generate('slow, and left alone');
    await stage.status('50%').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.className), 'gp-card gp-progress');
    await page.getByRole('heading', { name: 'A page' }).click();
    on.service.open();
    await prompt().waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'BODY');
  });

  it('does not take the focus when it finds a task again', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, and found again');
    await stage.status('50%').waitFor();
    await stage.page.reload();
    await stage.mount({ token: await tokenFor(owner) });
    await stage.status('50%').waitFor();
    assert.equal(await stage.page.evaluate(() => document.activeElement?.tagName), 'BODY');
    on.service.open();
    await prompt().waitFor();
    assert.equal(await stage.page.evaluate(() => document.activeElement?.tagName), 'BODY');
  });

  it('sends what was corrected where another try follows a failure', async () => {
    const owner = await on.service.owner(0);
    await open(owner);
    await stage.generate('slow, and wrong');
    await stage.problem('You need at least 700 tokens.').waitFor();
    await stage.page.getByLabel('Your instruction').fill('slow, and right');
    await on.service.api.grant(owner, 10_000);
    await stage.page.getByRole('button', { name: 'Generate prompt' }).click();
    await stage.page.getByRole('button', { name: 'Cancel' }).click();
    await stage.problem('The generation was cancelled.').waitFor();
    await stage.page.getByLabel('Your instruction').fill('We sell shoes, and this is right.');
    await stage.page.getByRole('button', { name: 'Try again' }).click();
    await prompt().waitFor();
    assert.equal(await stage.page.getByLabel('Your instruction').inputValue(), 'We sell shoes, and this is right.');
    await stage.page.getByText('9,850 tokens available').waitFor();
    await stage.page.getByRole('button', { name: 'Start over' }).click();
    await stage.page.getByText('9,850 tokens available').waitFor();
  });

  it('fits into 320 px', async () => {
    await open(await on.service.owner(), {}, { viewport: { width: 320, height: 640 } });
    await stage.generate('slow, on a small screen');
    await stage.status('50%').waitFor();
    const assertFits = async () => {
      const width = await stage.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 320, `${width} px wide`);
    };
    await assertFits();
    await keepScreenshot(stage.page, 'component-320px');
    on.service.open();
    await prompt().waitFor();
    await assertFits();
    await stage.assertAccessible();
  });

  it('is dark where the page is', async () => {
    await open(await on.service.owner(), {}, { colorScheme: 'dark' });
    await stage.assertAccessible();
    await stage.generate('slow, in the dark');
    await stage.status('50%').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(stage.page, 'component-dark');
    on.service.open();
    await prompt().waitFor();
    await stage.assertAccessible();
    const color = await stage.page
      .locator('.gp-input')
      .first()
      .evaluate((input) => getComputedStyle(input).color);
    assert.equal(color, 'rgb(233, 235, 244)');
  });

  it('reads from right to left in Persian', async () => {
    await open(await on.service.owner(), { language: 'fa' });
    const { page } = stage;
    await page.getByRole('textbox').fill('slow, in Persian');
    await page.getByRole('button', { name: 'ساخت پرامپت' }).click();
    await stage.status('در حال ساخت پرامپت با هوش مصنوعی...').waitFor();
    const box = async (selector: string) => (await page.locator(selector).boundingBox())!;
    const [bar, value] = [await box('.gp-bar'), await box('.gp-bar-value')];
    assert.ok(Math.abs(value.x + value.width - (bar.x + bar.width)) < 1, 'the bar grows from the right');
    assert.equal(Math.abs(value.width - bar.width / 2) < 1, true);
    await stage.assertAccessible();
    await keepScreenshot(page, 'component-persian');
    on.service.open();
    await page.getByText('۱۵۰ توکن کسر شد').waitFor();
    await stage.assertAccessible();
  });

  it('shows no step that was not reported, moving or not', async () => {
    await open(await on.service.owner(), {}, { reducedMotion: 'no-preference' });
    await stage.generate('slow, in motion');
    await stage.status('50%').waitFor();
    const width = (selector: string) =>
      stage.page.locator(selector).evaluate((part) => {
        for (const animation of part.getAnimations()) animation.finish();
        return part.getBoundingClientRect().width / (part.parentElement?.getBoundingClientRect().width ?? 0);
      });
    assert.equal(Math.abs((await width('.gp-bar-value')) - 0.5) < 0.01, true);
    const ahead = await width('.gp-bar-ahead');
    assert.ok(ahead > 0.6 && ahead < 0.7, `the creeping part ends at ${ahead}`);
    on.service.open();
    await prompt().waitFor();
  });
});
