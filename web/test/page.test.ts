import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { keepScreenshot, startBrowser } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { ownPlace } from '../../test/support/place.js';
import { runProgram, tokenFor, untilReady, type Program } from '../../test/support/program.js';
import { TestService } from '../../test/support/service.js';
import { assertAccessible, watch } from './support/stage-page.js';

const TOKEN_KEY = 'prompt-generation:token';

describe('The page', function () {
  this.timeout(120_000);
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());
  const openPage = async (options: BrowserContextOptions = {}): Promise<void> => {
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
    complaints = [];
    watch(page, complaints);
  };
  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(complaints, [], 'the browser complains');
  });

  const generate = async (text: string): Promise<void> => {
    await page.getByLabel('Your instruction').fill(text);
    await page.getByRole('button', { name: 'Generate prompt' }).click();
  };
  const items = () => page.locator('.items > li');
  const signIn = async (token: string): Promise<void> => {
    await page.getByLabel('Your access token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  describe('of npm start with nothing set', () => {
    let folder: string;
    let url: string;
    let program: Program;

    before(async function () {
      this.timeout(700_000);
      folder = await mkdtemp(join(tmpdir(), 'test-page-'));
      const place = await ownPlace(folder);
      url = `http://127.0.0.1:${place.PORT}`;
      program = runProgram('dist/dev/main.js', place);
      await untilReady(url, program);
    });
    after(async () => {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('signs itself in, says that the demo model answers, and leads to a prompt that is kept', async () => {
      await openPage({ permissions: ['clipboard-read', 'clipboard-write'] });
      await page.goto(url);
      await page.getByText('No AI is connected').waitFor();
      await page.getByText('100,000 tokens', { exact: true }).waitFor();
      await page.getByText('What you generate is kept here.').waitFor();
      await assertAccessible(page);
      const text = 'We sell shoes and repair them. Be friendly and brief. No refunds after 14 days.';
      await generate(text);
      for (const status of ['50% - Generating enhanced prompt with AI...', '70% - Waiting for AI response...']) {
        await page.locator('.gp-status', { hasText: status }).waitFor();
      }
      await items().filter({ hasText: 'Running' }).waitFor();
      await keepScreenshot(page, 'page-running');
      const prompt = page.locator('.stage div.gp-prompt');
      await prompt.waitFor();
      assert.match(await prompt.innerText(), /- We sell shoes and repair them\.\n- Be friendly and brief\./);
      await page.getByText(/^99,\d{3} tokens$/).waitFor();
      const run = await page.getByRole('link', { name: 'See this run in Temporal' }).getAttribute('href');
      assert.match(run ?? '', /\/namespaces\/default\/workflows\/[0-9a-f-]{36}$/);
      await page.getByRole('button', { name: 'Use this prompt' }).click();
      await page.getByText('Copied: paste it into the settings of your assistant.').waitFor();
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^# Role/);
      const item = items().filter({ hasText: 'Completed' });
      await item.waitFor();
      await assertAccessible(page);
      await page.evaluate(() => {
        window.scrollTo({ top: 0 });
      });
      await keepScreenshot(page, 'page-completed', { fullPage: true });

      await page.reload();
      await item.locator('summary').click();
      await item.getByText('# Role').waitFor();
      await assertAccessible(page);
      await item.getByRole('button', { name: 'Start from this instruction' }).click();
      assert.equal(await page.getByLabel('Your instruction').inputValue(), text);
    });

    it('shows the reference and the guide, with anchors that lead where they say', async () => {
      await openPage();
      await page.goto(`${url}/docs#error-insufficient_tokens`);
      await page.getByRole('heading', { name: 'Prompt generation API' }).waitFor();
      assert.equal(await page.locator('tr:has(:target)').count(), 1);
      await assertAccessible(page);
      await page.getByRole('link', { name: 'Guide', exact: true }).click();
      await page.waitForURL(`${url}/docs/guide`);
      await assertAccessible(page);
    });

    it('keeps the language that was chosen, with its direction', async () => {
      await openPage();
      await page.goto(url);
      await page.getByRole('button', { name: 'فارسی' }).click();
      const attributes = () => page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
      await page.getByRole('heading', { name: 'پرامپت‌های شما' }).waitFor();
      assert.deepEqual(await attributes(), ['fa', 'rtl']);
      await page.reload();
      await page.getByRole('heading', { name: 'پرامپت‌های شما' }).waitFor();
      assert.deepEqual(await attributes(), ['fa', 'rtl']);
      await assertAccessible(page);
      await keepScreenshot(page, 'page-persian');
      await page.getByRole('button', { name: 'English' }).click();
      await page.getByRole('heading', { name: 'Your prompts' }).waitFor();
    });

    it('is Persian at once for a browser that prefers it', async () => {
      await openPage({ locale: 'fa-IR' });
      await page.goto(url);
      await page.getByRole('heading', { name: 'پرامپت‌های شما' }).waitFor();
    });

    it('fits a small dark screen', async () => {
      await openPage({ viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
      await page.goto(url);
      await page.getByRole('heading', { name: 'Your prompts' }).waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 320, `${width} px wide`);
      await assertAccessible(page);
      await keepScreenshot(page, 'page-320px-dark');
    });
  });

  describe('of a service whose callers bring tokens', () => {
    let service: TestService;

    before(async function () {
      this.timeout(700_000);
      service = await TestService.start({
        BUY_TOKENS_URL: 'https://shop.example.com/tokens',
        SUPPORT_URL: 'mailto:help@example.com',
      });
    });
    after(() => service.stop());

    it('asks for one, keeps it in its tab, and asks again where it is refused', async () => {
      const owner = await service.owner();
      await openPage();
      await page.goto(service.url);
      await page.getByLabel('Your access token').waitFor();
      await assertAccessible(page);
      await keepScreenshot(page, 'page-sign-in');
      await signIn('nonsense');
      await page.getByText('This token is not valid, or not any more.').waitFor();
      await signIn(await tokenFor(owner));
      await page.getByText(owner).waitFor();
      await page.reload();
      await page.getByText(owner).waitFor();
    });

    it('takes no token from a link, as that could be anybody’s', async () => {
      await openPage();
      await page.goto(`${service.url}/?token=${await tokenFor('mallory')}#token=${await tokenFor('mallory')}`);
      await page.getByLabel('Your access token').waitFor();
    });

    it('shows the host page’s user, in a frame of the same origin, and hands it the prompt', async () => {
      const owner = await service.owner();
      await openPage();
      await page.route(`${service.url}/host.html`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Host</title><body></body>' }),
      );
      await page.goto(`${service.url}/host.html`);
      await page.evaluate(
        ([key, token]) => {
          sessionStorage.setItem(key!, token!);
          const frame = document.createElement('iframe');
          frame.title = 'Prompts';
          frame.src = '/';
          frame.width = '800';
          frame.height = '900';
          frame.onload = () => {
            frame.contentWindow?.addEventListener('prompt-generation:use', (event) => {
              event.preventDefault();
              document.title = (event as CustomEvent<{ prompt: string }>).detail.prompt.slice(0, 7);
            });
          };
          document.body.append(frame);
        },
        [TOKEN_KEY, await tokenFor(owner)],
      );
      const frame = page.frameLocator('iframe');
      await frame.getByText(owner).waitFor();
      await frame.getByLabel('Your instruction').fill('We sell shoes.');
      await frame.getByRole('button', { name: 'Generate prompt' }).click();
      await frame.getByRole('button', { name: 'Use this prompt' }).click();
      await eventually(async () => {
        assert.equal(await page.title(), 'You are');
      });
    });

    it('goes on with the token that its host renewed', async () => {
      const owner = await service.owner();
      await openPage();
      await page.goto(service.url);
      await signIn(await tokenFor(owner));
      await page.getByText(owner).waitFor();
      const other = await service.owner();
      await page.evaluate(
        ([key, token]) => {
          sessionStorage.setItem(key!, token!);
        },
        [TOKEN_KEY, await tokenFor(other)],
      );
      await generate('We sell shoes.');
      await page.locator('.stage div.gp-prompt').waitFor();
      assert.equal((await service.api.ledger(other)).charges.length, 1);
    });

    it('asks to sign in again where the token has expired meanwhile', async () => {
      const owner = await service.owner();
      await openPage();
      await page.goto(service.url);
      await signIn(await tokenFor(owner));
      await page.getByText(owner).waitFor();
      await page.evaluate((key) => {
        sessionStorage.setItem(key, 'expired');
      }, TOKEN_KEY);
      await generate('We sell shoes.');
      await page.getByText('This token is not valid, or not any more.').waitFor();
    });

    it('leads to the shop of the settings, and has no button where they name none', async () => {
      await openPage();
      await page.goto(service.url);
      await signIn(await tokenFor(await service.owner(0)));
      await generate('We sell shoes.');
      const link = page.getByRole('link', { name: 'Buy tokens' });
      assert.equal(await link.getAttribute('href'), 'https://shop.example.com/tokens');
    });

    it('lists what the account generated, by pages, text and state, and nothing of others', async () => {
      const owner = await service.owner(100_000);
      const other = await service.owner();
      await service.api.untilEnded(other, await service.api.start(other, 'A text of somebody else'));
      // One after the other: so many at once are over the owner's limit.
      for (let n = 0; n < 22; n += 1) {
        await service.api.untilEnded(owner, await service.api.start(owner, `Shop number ${n} sells shoes`));
      }
      await service.api.untilEnded(owner, await service.api.start(owner, 'refused: bicycles, 100% kind'));
      await openPage();
      await page.goto(service.url);
      await signIn(await tokenFor(owner));
      await eventually(async () => {
        assert.equal(await items().count(), 20);
      });
      assert.match(await items().first().innerText(), /bicycles[^]*Without AI/);
      await keepScreenshot(page, 'page-history');
      await page.getByRole('button', { name: 'Show older ones' }).click();
      await eventually(async () => {
        assert.equal(await items().count(), 23);
      });
      assert.equal(await page.getByRole('button', { name: 'Show older ones' }).count(), 0);
      const firstNew = items().nth(20).locator('summary');
      await eventually(async () => {
        assert.equal(await firstNew.evaluate((summary) => summary === document.activeElement), true);
      });
      assert.equal(await items().filter({ hasText: 'somebody else' }).count(), 0);

      await page.getByRole('searchbox', { name: 'Search' }).fill('100%');
      await eventually(async () => {
        assert.equal(await items().count(), 1);
      });
      await page.getByRole('searchbox', { name: 'Search' }).fill('trombones');
      await page.getByText('Nothing matches.').waitFor();
      await page.getByRole('searchbox', { name: 'Search' }).fill('');
      await page.getByRole('combobox', { name: 'Show' }).selectOption('Failed');
      await page.getByText('Nothing matches.').waitFor();
      await page.getByRole('combobox', { name: 'Show' }).selectOption('Completed');
      await eventually(async () => {
        assert.equal(await items().count(), 20);
      });
    });

    it('shows markup in a text, a prompt and the list as the characters that it is', async () => {
      const markup = `<img src="x" onerror="document.title='run'"><b>bold</b><a href="javascript:alert(1)">link</a>`;
      await openPage();
      await page.goto(service.url);
      const title = await page.title();
      await signIn(await tokenFor(await service.owner()));
      // The fallback has the owner's text in it, as a model's answer might have.
      await generate(`refused ${markup}`);
      const prompt = page.getByRole('region', { name: 'Prompt generation' }).locator('div.gp-prompt');
      await prompt.waitFor();
      assert.ok((await prompt.innerText()).includes(markup), await prompt.innerText());
      await eventually(async () => {
        assert.ok((await items().first().innerText()).includes('<img src="x"'), 'the list does not show it');
      });
      assert.equal(await page.locator('img, b, a[href^=javascript]').count(), 0);
      assert.equal(await page.title(), title);
    });

    it('says so where the list cannot be read, in its language, and reads it and the balance as soon as that can be done', async () => {
      let isAway = true;
      await openPage();
      for (const path of ['web-knowledge/generations/*', 'account/']) {
        await page.route(`**/api/v1/${path}`, (route) => (isAway ? route.abort() : route.continue()));
      }
      await page.goto(service.url);
      await signIn(await tokenFor(await service.owner()));
      await page.getByRole('alert').filter({ hasText: 'The service cannot be reached.' }).waitFor();
      await page.getByRole('button', { name: 'فارسی' }).click();
      await page.getByRole('alert').filter({ hasText: 'سرویس در دسترس نیست.' }).waitFor();
      await page.getByRole('button', { name: 'English' }).click();
      isAway = false;
      await page.getByText('What you generate is kept here.').waitFor();
      await page.getByText('10,000 tokens', { exact: true }).waitFor();
      assert.equal(await page.getByText('The service cannot be reached.').count(), 0);
    });
  });
});
