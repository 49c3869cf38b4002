import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import { TestService } from '../../../test/support/service.js';

/** What a suite works with; set before its first test. */
export interface RealService {
  service: TestService;
  browser: Browser;
}

/** A suite in a browser, on the whole service. */
export function onRealService(what: string, suite: (on: RealService) => void): void {
  describe(`${what}, in a browser, on the real service`, function () {
    this.timeout(120_000);
    const on = {} as RealService;
    before(async function () {
      this.timeout(700_000);
      on.service = await TestService.start();
      on.browser = await startBrowser();
    });
    after(async () => {
      await on.browser.close();
      await on.service.stop();
    });
    suite(on);
  });
}
