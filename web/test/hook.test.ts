import assert from 'node:assert/strict';
import type { Page, Route } from 'playwright-core';
import { GENERATE_ASYNC_PATH, GENERATIONS_PATH } from '../../src/contract/names.js';
import { keepScreenshot } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { tokenFor } from '../../test/support/program.js';
import { GENERATED } from '../../test/support/service.js';
import type { Generation } from '../src/index.js';
import { onRealService } from './support/on-real-service.js';
import { StagePage } from './support/stage-page.js';

const STATUS = `**${GENERATE_ASYNC_PATH}status/*/`;

onRealService('The hook, polling', (on) => {
  let stage: StagePage;
  let page: Page;

  afterEach(() => stage.close());

  /** Mounts the component; where the clock is a fake one, only the test lets time run. */
  const open = async (owner: string, { fakeClock = false, hookOnly = false } = {}): Promise<void> => {
    stage = await StagePage.open(on.browser, on.service.url, { fakeClock });
    ({ page } = stage);
    await mount(owner, hookOnly);
  };
  const mount = async (owner: string, hookOnly = false): Promise<void> => {
    await stage.mount({ token: await tokenFor(owner), hookOnly, live: false });
  };
  const tickUntil = (check: () => Promise<void>) => stage.tickUntil(check);
  const assertVisible = async (text: string): Promise<void> => {
    assert.ok(await page.getByText(text).first().isVisible(), `"${text}" is not shown`);
  };
  const starts = () => stage.requests.filter((request) => request === `POST ${GENERATE_ASYNC_PATH}`);
  const generation = async () => JSON.parse((await page.getByTestId('generation').textContent()) ?? '') as Generation;
  const prompt = () => page.locator('div.gp-prompt');

  it('starts one task where it is told to start twice at once', async () => {
    const owner = await on.service.owner();
    await open(owner, { hookOnly: true });
    await page.getByRole('button', { name: 'Start twice' }).click();
    await eventually(async () => {
      assert.equal((await generation()).progress, 50);
    });
    assert.equal(starts().length, 1);
    on.service.open();
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

  it('takes the prompt there is, at no charge, where it is told to', async () => {
    const owner = await on.service.owner();
    await open(owner);
    const token = await tokenFor(owner);
    const charged = async (reuse?: boolean) => {
      await page.evaluate(
        (given) => window.stage.generate(given.token, 'We sell shoes.', given.reuse),
        reuse === undefined ? { token } : { token, reuse },
      );
      const end = await page.evaluate(() => window.stage.shown.at(-1));
      assert.equal(end?.prompt, GENERATED);
      return end.tokens?.charged;
    };
    assert.equal(await charged(), 150);
    // The service knows by then which model it asks.
    await eventually(async () => {
      assert.equal(await charged(true), 0);
    });
    assert.equal(await charged(), 150);
  });

  it('starts one task for a double click', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await page.getByRole('textbox').fill('We sell shoes.');
    await page.getByRole('button', { name: 'Generate prompt' }).dblclick();
    await prompt().waitFor();
    assert.equal((await on.service.api.ledger(owner)).charges.length, 1);
  });

  it('finds its running task again after a reload, with its text', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, and reloaded');
    await stage.status('50%').waitFor();
    await page.reload();
    await mount(owner);
    await stage.status('50%').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), 'slow, and reloaded');
    on.service.open();
    await prompt().waitFor();
    assert.equal(starts().length, 1);
    await page.reload();
    await mount(owner);
    await stage.state('idle').waitFor();
  });

  it('starts the very same task where the page was reloaded before the answer to its start', async () => {
    const owner = await on.service.owner();
    await open(owner);
    // The service gets the start, the page never hears of it.
    await page.route(`**${GENERATE_ASYNC_PATH}`, (route: Route) => {
      void route.fetch().catch(() => undefined);
    });
    await stage.generate('We sell shoes.');
    await eventually(async () => {
      assert.equal((await on.service.api.ledger(owner)).charges.length, 1);
    });
    await page.unroute(`**${GENERATE_ASYNC_PATH}`);
    await page.reload();
    await mount(owner);
    await prompt().waitFor();
    assert.equal((await on.service.api.ledger(owner)).charges.length, 1);
  });

  it('forgets the task of somebody else who was signed in before the reload', async () => {
    await open(await on.service.owner());
    await stage.generate('slow, of somebody else');
    await stage.status('50%').waitFor();
    await page.reload();
    await mount(await on.service.owner());
    await stage.state('idle').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), '');
    on.service.open();
  });

  it('does not send the unanswered start of one user with the token of another', async () => {
    const [owner, other] = [await on.service.owner(), await on.service.owner()];
    await open(owner);
    await page.route(`**${GENERATE_ASYNC_PATH}`, () => undefined);
    await stage.generate('A text of the first one');
    await eventually(() => {
      assert.equal(starts().length, 1);
    });
    await page.unroute(`**${GENERATE_ASYNC_PATH}`);
    await page.reload();
    await mount(other);
    await stage.state('idle').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), '');
    assert.equal(starts().length, 1);
  });

  it('counts its two minutes from when the service has taken the task', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await page.route(`**${GENERATE_ASYNC_PATH}`, (route: Route) => route.abort('internetdisconnected'));
    await stage.generate('slow, and started late');
    await page.locator('.gp-note-line[data-kind=reconnecting]').waitFor();
    await page.unroute(`**${GENERATE_ASYNC_PATH}`);
    await page.clock.fastForward(119_000);
    await tickUntil(() => assertVisible('50% - Generating enhanced prompt with AI...'));
    await page.clock.runFor(30_000);
    await stage.status('50%').waitFor();
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('lets a start be given up that does not get through', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await page.route(`**${GENERATE_ASYNC_PATH}`, (route: Route) => route.abort('internetdisconnected'));
    await stage.generate('We sell shoes.');
    await page.locator('.gp-note-line[data-kind=reconnecting]').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await stage.problem('The service cannot be reached. Please try again.').waitFor();
    await stage.assertAccessible();
  });

  it('looks once more before it gives up on a task while its page slept', async () => {
    const sleeper = await on.service.owner();
    await open(sleeper, { fakeClock: true });
    await stage.generate('slow, and slept');
    await tickUntil(() => assertVisible('50%'));
    on.service.open();
    await eventually(async () => {
      const { generations } = await on.service.api.json<{ generations: { status: string }[] }>(
        'GET',
        GENERATIONS_PATH,
        {
          as: sleeper,
        },
      );
      assert.equal(generations[0]?.status, 'completed');
    });
    let failures = 0;
    await page.route(STATUS, (route: Route) => {
      failures += 1;
      return failures <= 2 ? route.abort('internetdisconnected') : route.continue();
    });
    await page.clock.fastForward(600_000);
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
    assert.equal(failures, 3);
  });

  it('goes on by itself where the browser was offline', async () => {
    await open(await on.service.owner());
    await stage.generate('slow, and offline');
    await stage.status('50%').waitFor();
    await page.context().setOffline(true);
    await page.locator('.gp-note-line[data-kind=reconnecting]').waitFor();
    await stage.status('50%').waitFor();
    on.service.open();
    await page.context().setOffline(false);
    await prompt().waitFor();
  });

  it('asks 3 times more, 2 s apart, then now and then, and shows that apart from the task', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and cut off');
    await tickUntil(() => assertVisible('50% - Generating enhanced prompt with AI...'));
    await page.route(STATUS, (route: Route) => route.abort('connectionreset'));
    // By the page's own clock, which only these steps move.
    await page.evaluate(() => {
      const fetch = window.fetch.bind(window);
      Object.assign(window, { askedAt: [] });
      window.fetch = (...request) => {
        (window as unknown as { askedAt: number[] }).askedAt.push(Date.now());
        return fetch(...request);
      };
    });
    const askedAt = () => page.evaluate(() => (window as unknown as { askedAt: number[] }).askedAt);
    await eventually(
      async () => {
        await page.clock.runFor(100);
        assert.equal((await askedAt()).length >= 6, true);
      },
      { everyMs: 10, timeoutMs: 60_000 },
    );
    const times = await askedAt();
    const pauses = times.slice(1).map((time, n) => time - times[n]!);
    // How many steps pass while an answer is on its way is the machine's affair.
    for (const pause of pauses.slice(0, 3)) assert.ok(pause >= 2_000 && pause < 4_000, JSON.stringify(pauses));
    for (const pause of pauses.slice(3)) assert.ok(pause >= 5_000, JSON.stringify(pauses));
    await page.locator('.gp-note-line[data-kind=lost]').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(page, 'component-lost');
    assert.equal(await stage.status('50%').isVisible(), true);
    await page.unrouteAll();
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('fails with another try where the start does not get through, and that is the same task', async () => {
    const owner = await on.service.owner();
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
      assert.equal(await prompt().isVisible(), true);
    });
    assert.equal(keys.size, 1);
  });

  it('asks nothing while its tab is hidden, and at once when it is shown again', async () => {
    await open(await on.service.owner(), { fakeClock: true });
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
    const before = stage.polls().length;
    await page.clock.runFor(60_000);
    assert.equal(stage.polls().length, before);
    on.service.open();
    await turn('visible');
    await eventually(() => {
      assert.equal(stage.polls().length > before, true);
    });
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('asks nothing once the component is gone, and React has nothing to complain of', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and left');
    await tickUntil(() => assertVisible('50%'));
    let hanging: Route | undefined;
    await page.route(STATUS, (route: Route) => {
      hanging = route;
    });
    const aborted = page.waitForEvent('requestfailed', { timeout: 20_000 });
    await eventually(async () => {
      await page.clock.runFor(1_000);
      assert.notEqual(hanging, undefined);
    });
    await page.evaluate(() => {
      window.stage.unmount();
    });
    assert.equal((await aborted).failure()?.errorText, 'net::ERR_ABORTED');
    const before = stage.requests.length;
    await page.clock.runFor(130_000);
    assert.equal(stage.requests.length, before);
    on.service.open();
  });

  it('gives up after two minutes; looking again finds the same task', async () => {
    const owner = await on.service.owner();
    await open(owner, { fakeClock: true });
    await stage.generate('slow, too slow');
    await tickUntil(() => assertVisible('50%'));
    await page.clock.fastForward(110_000);
    await tickUntil(async () => {
      assert.equal(await stage.state('timed_out').isVisible(), true);
    });
    await page.getByRole('heading', { name: 'No answer yet' }).waitFor();
    await page.getByText('The service did not tell the end of this generation in time. Please look again.').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(page, 'component-timed-out');
    const before = stage.requests.length;
    await page.clock.runFor(60_000);
    assert.equal(stage.requests.length, before);
    on.service.open();
    await page.getByRole('button', { name: 'Try again' }).click();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
    assert.equal(starts().length, 1);
    assert.equal((await on.service.api.ledger(owner)).charges.length, 1);
  });

  it('gives up after two minutes also where it is told to ask later', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and asked too often');
    await tickUntil(() => assertVisible('50%'));
    const headers = { 'Retry-After': '5' };
    await page.route(STATUS, (route: Route) => route.fulfill({ status: 429, headers, json: {} }));
    await page.clock.fastForward(115_000);
    await tickUntil(async () => {
      assert.equal(await stage.state('timed_out').isVisible(), true);
    });
    on.service.open();
  });

  it('waits as long as Retry-After says', async () => {
    await open(await on.service.owner(), { fakeClock: true });
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
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  const at50 = '50% - Generating enhanced prompt with AI...';
  const oddAnswers: Record<string, [shown: string, change: (body: Record<string, unknown>) => unknown]> = {
    'a status of the future': [
      '60% - Polishing...',
      (body) => ({ ...body, status: 'polishing', progress: 60, message: 'Polishing...' }),
    ],
    'fields of the future and wrong ones': [
      at50,
      (body) => ({ ...body, eta: {}, detail: 7, tokens: 'many', progress: '51' }),
    ],
    'an earlier step than the last one': [at50, (body) => ({ ...body, progress: 10, message: 'Initializing...' })],
    'no progress and no message': [at50, ({ task_id }) => ({ task_id, status: 'processing' })],
  };
  for (const [what, [shown, change]] of Object.entries(oddAnswers)) {
    it(`is not broken by ${what}`, async () => {
      await open(await on.service.owner());
      await stage.generate('slow, and odd');
      await stage.status('50%').waitFor();
      let changed = 0;
      await page.route(STATUS, async (route: Route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: change((await response.json()) as Record<string, unknown>) });
        changed += 1;
      });
      await eventually(() => {
        assert.equal(changed >= 2, true);
      });
      await stage.status(shown).waitFor();
      await page.unrouteAll({ behavior: 'wait' });
      on.service.open();
      await prompt().waitFor();
    });
  }

  for (const [what, answer] of Object.entries({
    'a page instead of JSON': { status: 200, body: '<html>Welcome to the hotel Wi-Fi</html>' },
    'JSON that is no status': { status: 200, json: [] },
    'a gateway that has lost its service': { status: 502, body: 'Bad Gateway' },
    'a 404 of something in between': { status: 404, body: '<html>Not here</html>' },
    'a 500 of something in between': { status: 500, body: '<html>Sorry</html>' },
    'a completed status without a prompt': { status: 200, json: { status: 'completed' } },
  })) {
    it(`takes ${what} for no answer`, async () => {
      await open(await on.service.owner());
      await stage.generate('slow, and odd');
      await stage.status('50%').waitFor();
      await page.route(STATUS, (route: Route) => route.fulfill(answer));
      await page.locator('.gp-note-line', { hasText: 'Connection interrupted. Reconnecting...' }).waitFor();
      await page.unrouteAll({ behavior: 'wait' });
      on.service.open();
      await prompt().waitFor();
    });
  }

  it('shows an action of the future without a button', async () => {
    await open(await on.service.owner());
    await page.route(STATUS, (route: Route) =>
      route.fulfill({ json: { status: 'failed', error: 'Call us.', error_code: 'new_code', action: 'call_us' } }),
    );
    await stage.generate('We sell shoes.');
    await stage.problem('Call us.').waitFor();
    assert.equal(await page.locator('.gp-problem').locator('button, a').count(), 0);
  });

  it('asks its host for another token where one is refused, and says so where that is refused, too', async () => {
    await open(await on.service.owner());
    const good = await tokenFor(await on.service.owner());
    const run = (first: string, second: string) =>
      page.evaluate(([given, renewed]) => window.stage.generateWith(given!, renewed!), [first, second]);
    assert.deepEqual(await run('expired', good), { state: 'completed', errorCode: null });
    assert.deepEqual(await run('expired', 'expired too'), { state: 'failed', errorCode: 'invalid_token' });
  });

  const refused = { status: 401, json: { code: 'invalid_token', message: 'The token has expired.' } };

  it('asks again with the token that its page renewed while one was being refused', async () => {
    const owner = await on.service.owner();
    await open(owner);
    const old = await tokenFor(owner);
    await stage.mount({ token: old, live: false });
    await stage.generate('slow, and renewed in time');
    await stage.status('50%').waitFor();
    const asked: Route[] = [];
    await page.route(STATUS, (route: Route) => {
      if (route.request().headers().authorization !== `Bearer ${old}`) return route.continue();
      asked.push(route);
      return undefined;
    });
    await eventually(() => {
      assert.equal(asked.length, 1);
    });
    await stage.mount({ token: await tokenFor(owner, 'renewed'), live: false });
    on.service.open();
    await asked[0]!.fulfill(refused);
    await prompt().waitFor();
    assert.equal(asked.length, 1);
  });

  it('follows its task again where its token was refused and its page brings another one', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, and signed in again');
    await stage.status('50%').waitFor();
    await page.route(STATUS, (route: Route) => route.fulfill(refused));
    await stage.problem('The token has expired.').waitFor();
    await page.unroute(STATUS);
    await stage.mount({ token: await tokenFor(owner, 'renewed'), live: false });
    await stage.status('50%').waitFor();
    assert.equal(await page.getByRole('textbox').inputValue(), 'slow, and signed in again');
    on.service.open();
    await prompt().waitFor();
    assert.equal(starts().length, 1);
  });

  it('offers to look again where its token was refused, and forgets the task for somebody else', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, and looked for again');
    await stage.status('50%').waitFor();
    await page.route(STATUS, (route: Route) => route.fulfill(refused));
    await stage.problem('The token has expired.').waitFor();
    await page.unroute(STATUS);
    await page.getByRole('button', { name: 'Try again' }).click();
    await stage.status('50%').waitFor();
    assert.equal(starts().length, 1);
    await page.route(STATUS, (route: Route) => route.fulfill(refused));
    await stage.problem('The token has expired.').waitFor();
    await page.unroute(STATUS);
    await mount(await on.service.owner());
    await stage.state('idle').waitFor();
    on.service.open();
  });

  it('goes on by itself where the whole service was killed and came back', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate('slow, and killed');
    await stage.status('50%').waitFor();
    await on.service.program.kill();
    await page
      .locator('.gp-note-line', { hasText: 'The service cannot be reached. Your generation goes on' })
      .waitFor();
    await on.service.run();
    await eventually(
      async () => {
        // The attempt that was killed is made again, some seconds later.
        on.service.open();
        assert.equal(await prompt().isVisible(), true);
      },
      { timeoutMs: 60_000 },
    );
    assert.equal((await on.service.api.ledger(owner)).charges.length, 1);
  });
});
