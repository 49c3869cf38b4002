import assert from 'node:assert/strict';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.js';
import { keepScreenshot, startBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { TestService } from '../support/service.js';

/** As its pages "Configure Workflow List" and "Create New" (a saved view) store them. */
const COLUMNS = ['Status', 'Workflow ID', ...Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name), 'Start'];
const STORED = {
  'namespace-workflow-table-columns': { default: COLUMNS.map((label) => ({ label, pinned: false })) },
  'saved-workflow-queries': {
    default: [
      { id: '1', name: 'Fallbacks', query: "PromptState='completed' AND PromptGeneratedByAi=false", type: 'user' },
      { id: '2', name: 'Out of tokens', query: "PromptErrorCode='no_tokens_remaining'", type: 'user' },
    ],
  },
};

describe("Temporal's Web UI", function () {
  this.timeout(120_000);
  let service: TestService;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const tasks = { completed: '', fallback: '', refused: '', running: '' };

  before('have a generation of each kind', async function () {
    this.timeout(600_000);
    service = await TestService.start();
    const { api } = service;
    await api.open('acme', { tokens: 100_000, business_type: 'Shoe shop' });
    await api.open('bakery-17', { business_type: 'Bakery' });
    const end = async (owner: string, text: string) => {
      const task = await api.start(owner, text);
      await api.untilEnded(owner, task);
      return task.task_id;
    };
    tasks.completed = await end('acme', 'We sell shoes, be friendly, no refunds after 14 days.');
    tasks.fallback = await end('acme', 'refused: we sell hats.');
    tasks.refused = await end('bakery-17', 'We bake bread.');
    const running = await api.start('acme', 'slow: we sell boots.');
    await api.untilProgress('acme', running, 50);
    tasks.running = running.task_id;
    browser = await startBrowser();
    context = await browser.newContext({ viewport: { width: 1400, height: 850 } });
    await context.addInitScript(`for (const [name, value] of Object.entries(${JSON.stringify(STORED)}))
      localStorage.setItem(name, JSON.stringify(value));`);
  });
  beforeEach(async () => {
    page = await context.newPage();
  });
  afterEach(() => page.close());
  after(async () => {
    await browser.close();
    await service.stop();
  });

  const ui = (path = ''): string =>
    `http://127.0.0.1:${service.settings.TEMPORAL_DEV_UI_PORT!}/namespaces/default/workflows${path}`;
  const openTab = async (taskId: string, tab?: string): Promise<void> => {
    await page.goto(ui(`/${taskId}`));
    if (tab)
      await page
        .getByRole('link', { name: tab })
        .or(page.getByRole('tab', { name: tab }))
        .first()
        .click();
  };
  /** Summary, details and current details are rendered in frames, each by itself. */
  const inFrames = (...texts: string[]) =>
    eventually(async () => {
      const contents = await Promise.all(page.frames().map((frame) => frame.locator('body').innerText()));
      for (const text of texts)
        assert.ok(
          contents.some((content) => content.includes(text)),
          text,
        );
    });

  it('lists generations by owner, business type, state, step, error code, AI, tokens and model', async () => {
    await eventually(async () => {
      await page.goto(ui());
      const cells = page.locator('tbody tr', { hasText: tasks.completed }).getByText('test-model-2026');
      await cells.waitFor({ timeout: 2_000 });
    });
    for (const text of ['bakery-17', 'no_tokens_remaining', 'generating', 'Shoe shop', '150'])
      await page.getByText(text, { exact: true }).first().waitFor();
    await page.setViewportSize({ width: 2160, height: 600 });
    await keepScreenshot(page, 'temporal-ui-list');
    await page
      .getByTestId('fallbacks')
      .or(page.getByRole('button', { name: 'Fallbacks' }))
      .first()
      .click();
    await eventually(async () => {
      assert.equal(await page.locator('tbody tr', { hasText: tasks.completed }).count(), 0);
      assert.equal(await page.locator('tbody tr', { hasText: tasks.fallback }).count(), 1);
    });
  });

  it('shows the arguments, the result and what each step does', async () => {
    await openTab(tasks.completed);
    for (const text of ['Read the account and the', 'Charge what the model used', 'We sell shoes'])
      await page.getByText(text).first().waitFor();
    await page.setViewportSize({ width: 1400, height: 1050 });
    await keepScreenshot(page, 'temporal-ui-history');
  });

  it('says of a running one where it is, what it waits for, what comes next and what there is to do', async () => {
    await openTab(tasks.running, 'User Metadata');
    await inFrames(
      'Generate a system prompt for acme',
      'The workflow id is the task',
      'Step 3 of 4: asking the model',
      tasks.running,
    );
    const frame = page.frames().find((one) => one.url().includes('Step%203'))!;
    const link = frame.getByRole('link', { name: 'all their generations' });
    await keepScreenshot(page, 'temporal-ui-running');
    const opened = context.waitForEvent('page');
    await link.click();
    const list = await opened;
    await list.getByText(tasks.completed).first().waitFor();
    assert.equal(await list.getByText(tasks.refused).count(), 0, 'the other owner');
    await list.close();
  });

  it('says of a failed one why, and what there is to do', async () => {
    await openTab(tasks.refused, 'User Metadata');
    await inFrames('Failed: no_tokens_remaining', 'an admin grants some');
    await keepScreenshot(page, 'temporal-ui-failed');
  });

  it('shows why a fallback was delivered', async () => {
    await openTab(tasks.fallback);
    await page.getByText('Charge nothing, release what is held, store the fallback').first().waitFor();
    const why = page.getByText('The model answered 401').first();
    await why.scrollIntoViewIfNeeded();
    await keepScreenshot(page, 'temporal-ui-fallback');
  });

  it('lets an operator pause, update and reset the call of the model', async () => {
    await openTab(tasks.running, 'Pending Activities');
    for (const name of ['Pause', 'Reset']) await page.getByRole('button', { name, exact: true }).first().waitFor();
    await page.getByText('generateWithAI').first().waitFor();
    await page.setViewportSize({ width: 1400, height: 600 });
    await keepScreenshot(page, 'temporal-ui-pending');
  });
});
