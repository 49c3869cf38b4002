import assert from 'node:assert/strict';
import type { Page, Route } from 'playwright-core';
import { batchStatusPath, GENERATE_BATCH_PATH } from '../../src/contract/names.js';
import { eventually } from '../../test/support/eventually.js';
import { tokenFor } from '../../test/support/program.js';
import { onRealService } from './support/on-real-service.js';
import { StagePage } from './support/stage-page.js';

const START = `**${GENERATE_BATCH_PATH}`;
const STATUS = `**${GENERATE_BATCH_PATH}status/*/`;

onRealService('A batch', (on) => {
  let stage: StagePage;
  let page: Page;
  let owner: string;
  let token: string;

  beforeEach(async () => {
    owner = await on.service.owner();
    token = await tokenFor(owner);
    stage = await StagePage.open(on.browser, on.service.url, { fakeClock: true });
    ({ page } = stage);
  });
  afterEach(() => stage.close());

  const start = (...texts: string[]) =>
    page.evaluate(
      (given) => {
        window.stage.generateBatch(given.token, given.texts);
      },
      { token, texts },
    );
  const told = () => page.evaluate(() => window.stage.batch);
  const progress = async () => (await told()).states.at(-1)?.progress ?? null;
  /** Not so fast that a slow service takes its minutes. */
  const tickUntil = (check: () => Promise<void>) => stage.tickUntil(check, 200);
  const untilAt50 = async () => {
    await tickUntil(async () => {
      const { batch_id } = (await told()).states.at(-1) ?? assert.fail('it is not taken yet');
      const path = batchStatusPath(batch_id);
      assert.equal((await on.service.api.json<{ progress: number }>('GET', path, { as: owner })).progress, 50);
    });
    await tickUntil(async () => {
      assert.equal(await progress(), 50);
    });
  };
  const untilOver = async (errorCode: string | null) => {
    await tickUntil(async () => {
      assert.equal((await told()).over, true);
    });
    assert.equal((await told()).errorCode, errorCode);
  };

  it('is told by its id as soon as it is taken, and can be cancelled by that', async () => {
    await page.route(STATUS, () => undefined);
    await start('slow, cancelled', 'slow, cancelled, too');
    await eventually(async () => {
      assert.equal((await told()).states.length, 1);
    });
    const { states } = await told();
    assert.deepEqual([states[0]?.status, states[0]?.progress, states[0]?.counts.queued], ['queued', 0, 2]);
    await page.evaluate((given) => window.stage.cancelBatch(given), token);
    await page.unroute(STATUS);
    await page.clock.fastForward(20_000);
    await untilOver(null);
    assert.deepEqual(
      (await told()).states.at(-1)?.items.map(({ error_code }) => error_code),
      ['cancelled', 'cancelled'],
    );
  });

  it('is seen to have completed though its page slept meanwhile, and the network woke up late', async () => {
    await start('slow, and slept', 'slow, and slept, too');
    await untilAt50();
    const { states } = await told();
    on.service.open(2);
    await eventually(async () => {
      const path = batchStatusPath(states[0]!.batch_id);
      assert.equal((await on.service.api.json<{ progress: number }>('GET', path, { as: owner })).progress, 100);
    });
    let asked = 0;
    await page.route(STATUS, (route: Route) => {
      asked += 1;
      return asked <= 2 ? route.abort('internetdisconnected') : route.continue();
    });
    await page.clock.fastForward(600_000);
    await untilOver(null);
    assert.equal(await progress(), 100);
    assert.equal(asked, 3);
  });

  it('has its two minutes from when the service has taken it', async () => {
    let refused = 0;
    await page.route(START, (route: Route) => {
      refused += 1;
      return route.abort('internetdisconnected');
    });
    await start('slow, and taken late');
    await eventually(() => {
      assert.equal(refused, 1);
    });
    await page.unroute(START);
    await page.clock.fastForward(119_000);
    await untilAt50();
    await page.clock.runFor(30_000);
    on.service.open();
    await untilOver(null);
  });

  it('is given up after two minutes, and where the service cannot be reached then', async () => {
    await start('slow, too slow');
    await untilAt50();
    await page.clock.fastForward(121_000);
    await untilOver('no_answer');
    await start('slow, and cut off');
    await untilAt50();
    let asked = 0;
    await page.route(STATUS, (route: Route) => {
      asked += 1;
      return route.abort('connectionreset');
    });
    await page.clock.fastForward(121_000);
    await untilOver('network_error');
    assert.ok(asked > 1, 'it asks more than once after the limit');
    on.service.open();
  });
});
