import assert from 'node:assert/strict';
import type { Browser, Page, Route } from 'playwright-core';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { startBrowser } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { tokenFor } from '../../test/support/program.js';
import { GENERATED, TestService } from '../../test/support/service.js';
import type { Generation } from '../src/index.js';
import { StagePage } from './support/stage-page.js';

const STATUS = `**${GENERATE_ASYNC_PATH}status/*/`;

describe('The hook, in a browser, on the real service', function () {
  this.timeout(120_000);
  let service: TestService;
  let browser: Browser;
  let stage: StagePage;
  let page: Page;

  before(async function () {
    this.timeout(700_000);
    service = await TestService.start();
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await service.stop();
  });
  afterEach(() => stage.close());

  /** Mounts the component, with timers that only `tick` lets run where the clock is a fake one. */
  const open = async (owner: string, { fakeClock = false, hookOnly = false } = {}): Promise<void> => {
    stage = await StagePage.open(browser, service.url, { fakeClock });
    ({ page } = stage);
    await stage.mount({ token: await tokenFor(owner), hookOnly });
  };
  /** Lets the page's time run, a second at a time, until the check passes. */
  const tickUntil = (check: () => Promise<void>) =>
    eventually(
      async () => {
        await page.clock.runFor(1_000);
        await check();
      },
      { everyMs: 20, timeoutMs: 30_000 },
    );
  const assertVisible = async (text: string): Promise<void> => {
    assert.ok(await page.getByText(text).first().isVisible(), `"${text}" is not shown`);
  };
  const polls = () => stage.requests.filter((request) => request.startsWith('GET') && request.includes('/status/'));
  const starts = () => stage.requests.filter((request) => request === `POST ${GENERATE_ASYNC_PATH}`);
  const generation = async () => JSON.parse((await page.getByTestId('generation').textContent()) ?? '') as Generation;
  const prompt = () => page.locator('div.gp-prompt');

  it('starts one task where it is told to start twice at once', async () => {
    const owner = await service.owner();
    await open(owner, { hookOnly: true });
    await page.getByRole('button', { name: 'Start twice' }).click();
    await eventually(async () => {
      assert.equal((await generation()).progress, 50);
    });
    assert.equal(starts().length, 1);
    service.open();
    await eventually(async () => {
      assert.equal((await generation()).state, 'completed');
    });
    const end = await generation();
    assert.deepEqual(
      [end.prompt, end.generatedByAi, end.warning, end.tokens, end.usage?.total_tokens, end.model, end.error],
      [GENERATED, true, null, { charged: 150, available: 9_850 }, 150, 'test-model-2026', null],
    );
    await page.getByRole('button', { name: 'Reset' }).click();
    assert.equal((await generation()).state, 'idle');
  });

  it('starts one task for a double click', async () => {
    const owner = await service.owner();
    await open(owner);
    await page.getByRole('textbox').fill('We sell shoes.');
    await page.getByRole('button', { name: 'Generate prompt' }).dblclick();
    await prompt().waitFor();
    assert.equal((await service.api.ledger(owner)).charges.length, 1);
  });

  it('finds its running task again after a reload, with its text', async () => {
    const owner = await service.owner();
    await open(owner);
    await stage.generate('slow, and reloaded');
    await stage.status('50%').waitFor();
    await page.reload();
    await stage.mount({ token: await tokenFor(owner) });
    await stage.status('50%').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), 'slow, and reloaded');
    service.open();
    await prompt().waitFor();
    assert.equal(starts().length, 1);
    await page.reload();
    await stage.mount({ token: await tokenFor(owner) });
    await stage.state('idle').waitFor();
  });

  it('starts the very same task where the page was reloaded before the answer to its start', async () => {
    const owner = await service.owner();
    await open(owner);
    // The service gets the start, the page never hears of it.
    await page.route(`**${GENERATE_ASYNC_PATH}`, (route: Route) => {
      void route.fetch().catch(() => undefined);
    });
    await stage.generate('We sell shoes.');
    await eventually(async () => {
      assert.equal((await service.api.ledger(owner)).charges.length, 1);
    });
    await page.unroute(`**${GENERATE_ASYNC_PATH}`);
    await page.reload();
    await stage.mount({ token: await tokenFor(owner) });
    await prompt().waitFor();
    assert.equal((await service.api.ledger(owner)).charges.length, 1);
  });

  it('forgets the task of somebody else who was signed in before the reload', async () => {
    await open(await service.owner());
    await stage.generate('slow, of somebody else');
    await stage.status('50%').waitFor();
    await page.reload();
    await stage.mount({ token: await tokenFor(await service.owner()) });
    await stage.state('idle').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), '');
    service.open();
  });

  it('goes on by itself where the browser was offline', async () => {
    await open(await service.owner());
    await stage.generate('slow, and offline');
    await stage.status('50%').waitFor();
    await page.context().setOffline(true);
    await page.locator('.gp-note-line[data-kind=reconnecting]').waitFor();
    await stage.status('50%').waitFor();
    service.open();
    await page.context().setOffline(false);
    await prompt().waitFor();
  });

  it('asks 3 times more, 2 s apart, then now and then, and shows that apart from the task', async () => {
    await open(await service.owner(), { fakeClock: true });
    await stage.generate('slow, and cut off');
    await tickUntil(() => assertVisible('50% - Generating enhanced prompt with AI...'));
    let tries = 0;
    await page.route(STATUS, (route: Route) => {
      tries += 1;
      return route.abort('connectionreset');
    });
    const triesAre = (expected: number) =>
      eventually(() => {
        assert.equal(tries, expected);
      });
    await page.clock.runFor(1_000);
    await triesAre(1);
    await page.locator('.gp-note-line', { hasText: 'Connection interrupted. Reconnecting...' }).waitFor();
    for (const expected of [2, 3, 4]) {
      await page.clock.runFor(1_900);
      assert.equal(tries, expected - 1, 'no sooner than after 2 s');
      await page.clock.runFor(200);
      await triesAre(expected);
    }
    await page.locator('.gp-note-line[data-kind=lost]').waitFor();
    await stage.assertAccessible();
    assert.ok(await stage.status('50%').isVisible());
    await page.unrouteAll();
    service.open();
    await tickUntil(async () => {
      assert.ok(await prompt().isVisible());
    });
  });

  it('fails with another try where the start does not get through, and that is the same task', async () => {
    const owner = await service.owner();
    await open(owner, { fakeClock: true });
    const keys = new Set<string | undefined>();
    await page.route(`**${GENERATE_ASYNC_PATH}`, (route: Route) => {
      keys.add(route.request().headers()['idempotency-key']);
      return route.abort('connectionreset');
    });
    await stage.generate('We sell shoes.');
    await tickUntil(() => assertVisible('The service cannot be reached. Please try again.'));
    assert.equal(starts().length, 4);
    await page.unrouteAll();
    page.on('request', (request) => {
      if (request.method() === 'POST') keys.add(request.headers()['idempotency-key']);
    });
    await page.getByRole('button', { name: 'Try again' }).click();
    await tickUntil(async () => {
      assert.ok(await prompt().isVisible());
    });
    assert.equal(keys.size, 1);
  });

  it('asks nothing while its tab is hidden, and at once when it is shown again', async () => {
    await open(await service.owner(), { fakeClock: true });
    await stage.generate('slow, and hidden');
    await tickUntil(() => assertVisible('50%'));
    const turn = (state: string) =>
      page.evaluate((visibilityState) => {
        Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await turn('hidden');
    // One may have been on its way.
    await page.clock.runFor(3_000);
    const before = polls().length;
    await page.clock.runFor(60_000);
    assert.equal(polls().length, before);
    service.open();
    await turn('visible');
    await eventually(() => {
      assert.ok(polls().length > before);
    });
    await tickUntil(async () => {
      assert.ok(await prompt().isVisible());
    });
  });

  it('asks nothing once the component is gone, and React has nothing to complain of', async () => {
    await open(await service.owner(), { fakeClock: true });
    await stage.generate('slow, and left');
    await tickUntil(() => assertVisible('50%'));
    let hanging: Route | undefined;
    await page.route(STATUS, (route: Route) => {
      hanging = route;
    });
    const aborted = page.waitForEvent('requestfailed', { timeout: 20_000 });
    await eventually(async () => {
      await page.clock.runFor(1_000);
      assert.ok(hanging);
    });
    await page.evaluate(() => {
      window.stage.unmount();
    });
    assert.equal((await aborted).failure()?.errorText, 'net::ERR_ABORTED');
    const before = stage.requests.length;
    await page.clock.runFor(130_000);
    assert.equal(stage.requests.length, before);
    service.open();
  });

  it('gives up after two minutes; looking again finds the same task', async () => {
    const owner = await service.owner();
    await open(owner, { fakeClock: true });
    await stage.generate('slow, too slow');
    await tickUntil(() => assertVisible('50%'));
    await page.clock.fastForward(110_000);
    await tickUntil(async () => {
      assert.ok(await stage.state('timed_out').isVisible());
    });
    await page.getByText('The service did not tell the end of this generation in time. Please look again.').waitFor();
    await stage.assertAccessible();
    const before = stage.requests.length;
    await page.clock.runFor(60_000);
    assert.equal(stage.requests.length, before);
    service.open();
    await page.getByRole('button', { name: 'Try again' }).click();
    await tickUntil(async () => {
      assert.ok(await prompt().isVisible());
    });
    assert.equal(starts().length, 1);
    assert.equal((await service.api.ledger(owner)).charges.length, 1);
  });

  it('waits as long as Retry-After says', async () => {
    await open(await service.owner(), { fakeClock: true });
    await stage.generate('slow, and asked less often');
    await tickUntil(() => assertVisible('50%'));
    let tries = 0;
    await page.route(STATUS, async (route: Route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'retry-after': '7' } });
      tries += 1;
    });
    await tickUntil(() => {
      assert.equal(tries, 1);
      return Promise.resolve();
    });
    await page.clock.runFor(6_000);
    assert.equal(tries, 1);
    await page.clock.runFor(1_000);
    await eventually(() => {
      assert.equal(tries, 2);
    });
    await page.unrouteAll();
    service.open();
    await tickUntil(async () => {
      assert.ok(await prompt().isVisible());
    });
  });

  const oddAnswers: Record<string, (body: Record<string, unknown>) => unknown> = {
    'a status of the future': (body) => ({ ...body, status: 'polishing', progress: 60, message: 'Polishing...' }),
    'fields of the future and wrong ones': (body) => ({ ...body, eta: {}, detail: 7, tokens: 'many', progress: '51' }),
    'an earlier step than the last one': (body) => ({
      ...body,
      progress: 10,
      message: 'Initializing AI generation...',
    }),
    'no progress and no message': ({ task_id }) => ({ task_id, status: 'processing' }),
  };
  for (const [what, change] of Object.entries(oddAnswers)) {
    it(`is not broken by ${what}`, async () => {
      await open(await service.owner());
      await stage.generate('slow, and odd');
      await stage.status('50%').waitFor();
      let changed = 0;
      await page.route(STATUS, async (route: Route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: change((await response.json()) as Record<string, unknown>) });
        changed += 1;
      });
      await eventually(() => {
        assert.ok(changed >= 2);
      });
      assert.match((await page.locator('.gp-status').textContent()) ?? '', /^(50% - Generating|60% - Polishing)/);
      await page.unrouteAll({ behavior: 'wait' });
      service.open();
      await prompt().waitFor();
    });
  }

  for (const [what, answer] of Object.entries({
    'a page instead of JSON': { status: 200, body: '<html>Welcome to the hotel Wi-Fi</html>' },
    'JSON that is no status': { status: 200, json: [] },
    'a gateway that has lost its service': { status: 502, body: 'Bad Gateway' },
    'a completed status without a prompt': { status: 200, json: { status: 'completed' } },
  })) {
    it(`takes ${what} for no answer`, async () => {
      await open(await service.owner());
      await stage.generate('slow, and odd');
      await stage.status('50%').waitFor();
      await page.route(STATUS, (route: Route) => route.fulfill(answer));
      await page.locator('.gp-note-line', { hasText: 'Connection interrupted. Reconnecting...' }).waitFor();
      await page.unrouteAll({ behavior: 'wait' });
      service.open();
      await prompt().waitFor();
    });
  }

  it('shows an action of the future without a button', async () => {
    await open(await service.owner());
    await page.route(STATUS, (route: Route) =>
      route.fulfill({ json: { status: 'failed', error: 'Call us.', error_code: 'new_code', action: 'call_us' } }),
    );
    await stage.generate('We sell shoes.');
    await stage.problem('Call us.').waitFor();
    assert.equal(await page.getByRole('alert').getByRole('button').count(), 0);
  });

  it('asks its host for another token where one is refused, and says so where that is refused, too', async () => {
    await open(await service.owner());
    const good = await tokenFor(await service.owner());
    const run = (first: string, second: string) =>
      page.evaluate(([given, renewed]) => window.stage.generateWith(given!, renewed!), [first, second]);
    assert.deepEqual(await run('expired', good), { state: 'completed', errorCode: null });
    assert.deepEqual(await run('expired', 'expired too'), { state: 'failed', errorCode: 'invalid_token' });
  });

  it('goes on by itself where the whole service was killed and came back', async () => {
    const owner = await service.owner();
    await open(owner);
    await stage.generate('slow, and killed');
    await stage.status('50%').waitFor();
    await service.program.kill();
    await page
      .locator('.gp-note-line', { hasText: 'The service cannot be reached. Your generation goes on' })
      .waitFor();
    await service.run();
    await eventually(
      async () => {
        // The attempt that was killed is made again, some seconds later.
        service.open();
        assert.ok(await prompt().isVisible());
      },
      { timeoutMs: 60_000 },
    );
    assert.equal((await service.api.ledger(owner)).charges.length, 1);
  });
});
