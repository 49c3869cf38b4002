import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../support/browser.js';
import { ownPlace } from '../support/place.js';
import { runProgram, untilReady, type Program } from '../support/program.js';

describe('The page, in a browser', function () {
  this.timeout(120_000);
  let folder: string;
  let url: string;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  before(async function () {
    this.timeout(700_000);
    folder = await mkdtemp(join(tmpdir(), 'test-page-'));
    const place = await ownPlace(folder);
    url = `http://127.0.0.1:${place.PORT}`;
    program = runProgram('dist/dev/main.js', place);
    await untilReady(url, program);
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await program.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    assert.deepEqual(complaints, [], 'the browser complains');
  });

  const generate = async (text: string) => {
    await page.goto(url);
    await page.getByLabel('Your instruction').fill(text);
    await page.getByRole('button', { name: 'Generate prompt' }).click();
  };

  it('signs itself in, says that the demo model answers, and leads to the prompt', async () => {
    await generate('We sell shoes. Be friendly.');
    await page.getByText('No AI is connected').waitFor();
    for (const message of ['Generating enhanced prompt with AI...', 'Waiting for AI response...']) {
      await page.getByRole('status').filter({ hasText: message }).waitFor();
    }
    await page.getByRole('status').filter({ hasText: 'Prompt generated successfully' }).waitFor();
    assert.match(await page.locator('#prompt').innerText(), /- We sell shoes\.\n- Be friendly\./);
    assert.match(await page.locator('#cost').innerText(), /^\d+ tokens charged · model demo-model$/);
    const run = await page.getByRole('link', { name: 'See this run in Temporal' }).getAttribute('href');
    assert.match(run ?? '', /\/namespaces\/default\/workflows\/[0-9a-f-]{36}$/);
  });

  it('cancels', async () => {
    await generate('Cancel me.');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: 'The generation was cancelled. No tokens were charged.' })
      .waitFor();
  });

  it('shows the reference, with anchors that lead where they say', async () => {
    await page.goto(`${url}/docs#error-insufficient_tokens`);
    await page.getByRole('heading', { name: 'Prompt generation API' }).waitFor();
    assert.equal(await page.locator('tr:has(:target)').count(), 1);
  });
});
