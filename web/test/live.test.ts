import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { keepScreenshot } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { tokenFor } from '../../test/support/program.js';
import { userText } from '../../test/support/llm-server.js';
import { GENERATED } from '../../test/support/service.js';
import { Proxy } from './support/proxy.js';
import { onRealService } from './support/on-real-service.js';
import { StagePage } from './support/stage-page.js';
import type { Scene } from './support/stage.js';

/** "long": the model writes for some seconds; "slow": it waits for the test. */
const LONG = 'long, and written word by word';

onRealService('The hook and the component, live', (on) => {
  let proxy: Proxy;
  let stage: StagePage;
  let page: Page;

  beforeEach(async () => {
    proxy = await Proxy.to(on.service.url);
  });
  afterEach(async () => {
    await stage.close();
    await proxy.stop();
  });

  /** Mounts the component behind the proxy; where the clock is a fake one, only the test lets time run. */
  const open = async (
    owner: string,
    { fakeClock = false, ...scene }: Partial<Scene> & { fakeClock?: boolean } = {},
  ) => {
    stage = await StagePage.open(on.browser, proxy.url, { fakeClock });
    ({ page } = stage);
    await stage.mount({ token: await tokenFor(owner), ...scene });
  };
  const tickUntil = (check: () => Promise<void>) => stage.tickUntil(check);
  const turn = (state: string) =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  const prompt = () => page.locator('div.gp-prompt');
  const partial = () => page.locator('.gp-partial-text');
  const asked = () => ({ streams: stage.streams().length, polls: stage.polls().length });
  const shown = () => page.evaluate(() => window.stage.shown);
  const starts = () => stage.requests.filter((request) => request === `POST ${GENERATE_ASYNC_PATH}`);
  /** Something of the text is there, and not all of it. */
  const somethingWritten = async (longerThan = 0): Promise<string> => {
    let text = '';
    await eventually(async () => {
      text = (await partial().textContent({ timeout: 5_000 })) ?? '';
      assert.equal(text.length > longerThan, true);
    });
    assert.ok(GENERATED.startsWith(text) && text.length < GENERATED.length, text);
    return text;
  };

  it('shows the text growing, by one stream and no poll', async () => {
    await open(await on.service.owner());
    await stage.generate(LONG);
    const before = await somethingWritten();
    await somethingWritten(before.length + 25);
    await stage.status('70% - Waiting for AI response...').waitFor();
    await stage.assertAccessible();
    await keepScreenshot(page, 'component-writing');
    await prompt().waitFor();
    assert.equal(await prompt().innerText(), GENERATED);
    assert.equal(await partial().count(), 0);
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
    await eventually(() => {
      assert.equal(proxy.open, 0);
    });
  });

  it('tells each step and each piece of the text in its state, and none of the text in the end', async () => {
    await open(await on.service.owner());
    await page.evaluate(
      ([token, text]) => window.stage.generate(token!, text!),
      [await tokenFor(await on.service.owner()), LONG],
    );
    const states = await shown();
    const texts = states.flatMap(({ partialText }) => partialText ?? []);
    assert.ok(new Set(texts).size > 5, JSON.stringify(texts));
    texts.slice(1).forEach((text, n) => {
      assert.ok(text.startsWith(texts[n]!));
    });
    assert.equal(texts.at(-1), GENERATED);
    const end = states.at(-1)!;
    assert.deepEqual([end.state, end.prompt, end.partialText], ['completed', GENERATED, null]);
    assert.ok(states.every(({ connection }) => connection === 'online'));
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
  });

  it('says nothing of the growing text to a screen reader', async () => {
    await open(await on.service.owner());
    await stage.generate(LONG);
    await somethingWritten();
    const live = await partial().evaluate((element) => element.closest('[aria-live], [role=status], [role=alert]'));
    assert.ok(live);
    assert.equal(await page.locator('.gp-partial').getAttribute('aria-live'), 'off');
    assert.equal(await page.getByRole('group', { name: 'The AI is writing:' }).locator('.gp-partial-text').count(), 1);
    const said = (await page.locator('[role=status]').allTextContents()).join();
    assert.equal(said.includes(GENERATED.slice(0, 3)), false, said);
    await prompt().waitFor();
  });

  it('shows it in Persian, each text in its own direction', async () => {
    await open(await on.service.owner(), { language: 'fa' });
    await page.getByRole('textbox').fill(LONG);
    await page.getByRole('button', { name: 'ساخت پرامپت' }).click();
    await somethingWritten();
    await page.getByRole('group', { name: 'هوش مصنوعی در حال نوشتن است:' }).waitFor();
    assert.equal(await partial().evaluate((element) => getComputedStyle(element).direction), 'ltr');
    assert.equal(await page.locator('.gp-partial').evaluate((element) => getComputedStyle(element).direction), 'rtl');
    await stage.assertAccessible();
    await prompt().waitFor();
  });

  it('finds its task again after a reload, by another stream, with the text from its beginning', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate(LONG);
    const before = await somethingWritten();
    await page.reload();
    await stage.mount({ token: await tokenFor(owner) });
    const after = await somethingWritten(before.length);
    assert.ok(after.startsWith(before));
    await prompt().waitFor();
    assert.equal(starts().length, 1);
    assert.deepEqual(asked(), { streams: 2, polls: 0 });
  });

  it('is cancelled while the text grows', async () => {
    const owner = await on.service.owner();
    await open(owner);
    await stage.generate(LONG);
    await somethingWritten();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await stage.problem('The generation was cancelled. No tokens were charged.').waitFor();
    assert.equal(await partial().count(), 0);
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
    assert.equal((await on.service.api.account(owner)).tokens.available, 10_000);
  });

  it('closes its stream when the component is gone', async () => {
    await open(await on.service.owner());
    await stage.generate('slow, and left');
    await stage.status('50%').waitFor();
    assert.equal(proxy.open, 1);
    await page.evaluate(() => {
      window.stage.unmount();
    });
    await eventually(() => {
      assert.equal(proxy.open, 0);
    });
    on.service.open();
  });

  it('closes its stream while its tab is hidden, and asks when it is shown again', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and hidden');
    await stage.status('50%').waitFor();
    await turn('hidden');
    await eventually(() => {
      assert.equal(proxy.open, 0);
    });
    await page.clock.runFor(60_000);
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
    on.service.open();
    await turn('visible');
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('polls where the tab is hidden from the start, as it was shown to', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await page.getByRole('textbox').fill('slow, and never seen');
    await turn('hidden');
    await page.getByRole('button', { name: 'Generate prompt' }).click();
    await eventually(() => {
      assert.deepEqual(asked(), { streams: 0, polls: 1 });
    });
    await page.clock.runFor(60_000);
    assert.deepEqual(asked(), { streams: 0, polls: 1 });
    await turn('visible');
    await stage.status('50%').waitFor();
    assert.equal(asked().streams, 1);
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('goes on by itself where the browser was offline', async () => {
    await open(await on.service.owner());
    await stage.generate('slow, and offline');
    await stage.status('50%').waitFor();
    await page.context().setOffline(true);
    await page.locator('.gp-note-line[data-kind=reconnecting]').waitFor();
    await page.context().setOffline(false);
    await page.locator('.gp-note-line[data-kind=online]').waitFor({ state: 'attached' });
    await eventually(() => {
      assert.equal(proxy.open, 1);
    });
    on.service.open();
    await prompt().waitFor();
  });

  it('gives up after two minutes, with the stream', async () => {
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, too slow');
    await stage.status('50%').waitFor();
    await page.clock.fastForward(121_000);
    await stage.state('timed_out').waitFor();
    assert.deepEqual(asked(), { streams: 1, polls: 1 });
    await eventually(() => {
      assert.equal(proxy.open, 0);
    });
    on.service.open();
    await page.getByRole('button', { name: 'Try again' }).click();
    await prompt().waitFor();
    assert.equal(starts().length, 1);
  });

  it('polls where something holds the stream back for 3 s, and for the next task from its start', async () => {
    proxy.treatment = 'hold back';
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and held back');
    await eventually(() => {
      assert.equal(proxy.open, 1);
    });
    await page.clock.runFor(2_500);
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
    await page.clock.runFor(500);
    await eventually(() => {
      assert.deepEqual([asked().polls, proxy.open], [1, 0]);
    });
    await tickUntil(async () => {
      assert.equal(await stage.status('50%').isVisible(), true);
    });
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
    await page.getByRole('button', { name: 'Start over' }).click();
    await stage.generate('slow, and polled');
    await tickUntil(async () => {
      assert.equal(await stage.status('50%').isVisible(), true);
    });
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
    assert.equal(asked().streams, 1);
  });

  it('polls where the answer is JSON, which is a status as any', async () => {
    proxy.treatment = 'unknown';
    await open(await on.service.owner());
    await stage.generate('slow, on an older service');
    await stage.status('50%').waitFor();
    await eventually(() => {
      assert.equal(asked().polls >= 2, true);
    });
    on.service.open();
    await prompt().waitFor();
    assert.equal(asked().streams, 1);
  });

  it('polls where the browser can read no answer before its end', async () => {
    stage = await StagePage.open(on.browser, proxy.url);
    ({ page } = stage);
    await page.evaluate(() => {
      Object.defineProperty(Response.prototype, 'body', { value: undefined });
    });
    await stage.mount({ token: await tokenFor(await on.service.owner()) });
    await stage.generate('slow, in an old browser');
    await stage.status('50%').waitFor();
    assert.equal(proxy.open, 0);
    on.service.open();
    await prompt().waitFor();
    assert.equal(asked().streams, 1);
  });

  it('does all of this in a browser without AbortSignal.any()', async () => {
    stage = await StagePage.open(on.browser, proxy.url);
    ({ page } = stage);
    await page.evaluate(() => {
      Object.defineProperty(AbortSignal, 'any', { value: undefined });
    });
    await stage.mount({ token: await tokenFor(await on.service.owner()) });
    await page.getByText('10,000 tokens available').waitFor();
    await stage.generate(LONG);
    await somethingWritten();
    await prompt().waitFor();
    assert.deepEqual(asked(), { streams: 1, polls: 0 });
  });

  for (const [what, answer] of Object.entries({
    'is cut before it says anything': (response) => response.destroy(),
    'ends before it says anything': (response) => response.end(': \n\n'),
    'says what is no event': (response) => response.end('event: status\ndata: {"status": \n\n'),
  } satisfies Record<string, NonNullable<Proxy['answer']>>)) {
    it(`polls where the stream ${what}, unseen by the user`, async () => {
      proxy.answer = answer;
      await open(await on.service.owner());
      await page.evaluate(
        ([token, text]) => window.stage.generate(token!, text!),
        [await tokenFor(await on.service.owner()), 'We sell shoes.'],
      );
      const states = await shown();
      assert.equal(states.at(-1)?.state, 'completed');
      assert.ok(states.every(({ connection }) => connection === 'online'));
      assert.equal(asked().streams, 1);
    });
  }

  it('goes on by another stream, after the last event it has, where one is cut in the middle', async () => {
    const owner = await on.service.owner();
    await open(owner, { hookOnly: true });
    const over = page.evaluate(([token, text]) => window.stage.generate(token!, text!), [await tokenFor(owner), LONG]);
    await eventually(async () => {
      assert.equal(
        (await shown()).some(({ partialText }) => partialText !== null),
        true,
      );
    });
    proxy.cut();
    await over;
    const states = await shown();
    assert.ok(states.every(({ connection }) => connection === 'online'));
    assert.equal(states.at(-1)?.prompt, GENERATED);
    const texts = states.flatMap(({ partialText }) => partialText ?? []);
    assert.ok(texts.every((text) => GENERATED.startsWith(text)));
    assert.deepEqual(asked(), { streams: 2, polls: 1 });
    assert.equal(proxy.streams[0], '');
    assert.notEqual(proxy.streams[1], '');
  });

  it('asks anew where a stream falls silent, though nobody cut it', async () => {
    proxy.treatment = 'freeze';
    await open(await on.service.owner(), { fakeClock: true });
    await stage.generate('slow, and frozen');
    await eventually(() => {
      assert.equal(proxy.open, 1);
      assert.equal(userText(on.service.llm.requests().at(-1)!), 'slow, and frozen');
    });
    on.service.open();
    await tickUntil(async () => {
      assert.equal(await prompt().isVisible(), true);
    });
  });

  it('drops the text of an attempt that failed', async () => {
    const event = (name: string, data: object, id = '') =>
      `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    const at = (progress: number, more: object) => ({ status: 'processing', progress, message: 'x', ...more });
    const text = (attempt: number, offset: number, piece: string) => event('text', { attempt, offset, text: piece });
    proxy.answer = (response) =>
      response.end(
        [
          event('status', at(70, {}), '1'),
          text(1, 0, 'You'),
          text(1, 3, ' are'),
          event('status', at(70, { detail: { attempt: 2 } }), '2'),
          text(2, 0, 'Be'),
          event('status', at(70, { detail: { attempt: 2 } }), '3'),
          text(2, 2, ' kind'),
          event('status', { status: 'completed', progress: 100, prompt: 'Be kind.' }, '4'),
        ].join(''),
      );
    await open(await on.service.owner());
    await page.evaluate((token) => window.stage.generate(token, 'x'), await tokenFor(await on.service.owner()));
    assert.deepEqual(
      (await shown()).slice(-8).map(({ partialText }) => partialText),
      [null, 'You', 'You are', null, 'Be', 'Be', 'Be kind', null],
    );
  });

  it('forgets the task of somebody else, as it does when it polls', async () => {
    await open(await on.service.owner());
    await stage.generate('slow, of somebody else');
    await stage.status('50%').waitFor();
    await page.reload();
    await stage.mount({ token: await tokenFor(await on.service.owner()) });
    await stage.state('idle').waitFor();
    on.service.open();
  });
});
