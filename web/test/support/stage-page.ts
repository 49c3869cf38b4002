import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page, Route } from 'playwright-core';
import { eventually } from '../../../test/support/eventually.js';
import { bundle } from './bundle.js';
import type { Scene, StageApi } from './stage.js';

declare global {
  interface Window {
    stage: StageApi;
  }
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const STYLE = readFile(new URL('../../src/generate-prompt/generate-prompt.css', import.meta.url), 'utf8');
let script: Promise<string> | undefined;

/** The component in a page of the service's origin, in React's development mode, which warns of what is wrong. */
export class StagePage {
  /** What the browser complained of: errors and warnings, and code that threw. */
  readonly complaints: string[] = [];
  /** Requests about generations so far, as "METHOD path?query". */
  readonly requests: string[] = [];

  private constructor(
    readonly page: Page,
    readonly fakeClock: boolean,
  ) {}

  static async open(
    browser: Browser,
    url: string,
    { fakeClock = false, ...context }: BrowserContextOptions & { fakeClock?: boolean } = {},
  ): Promise<StagePage> {
    // Still pictures: what moves has no contrast to measure.
    const page = await browser.newPage({ reducedMotion: 'reduce', viewport: { width: 800, height: 700 }, ...context });
    const stage = new StagePage(page, fakeClock);
    watch(page, stage.complaints);
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      if (pathname.startsWith('/api/v1/web-knowledge/'))
        stage.requests.push(`${request.method()} ${pathname}${search}`);
    });
    script ??= readFile(fileURLToPath(new URL('stage.tsx', import.meta.url)), 'utf8').then((source) =>
      bundle(source.replaceAll("'../../src/", "'../src/"), { development: true }),
    );
    const files: Record<string, [type: string, body: string]> = {
      '/stage.html': ['text/html', HTML],
      '/stage.css': ['text/css', await STYLE],
      '/stage.js': ['text/javascript', await script],
    };
    await page.route(`${url}/stage.*`, async (route: Route) => {
      const [contentType, body] = files[new URL(route.request().url()).pathname]!;
      await route.fulfill({ contentType: `${contentType}; charset=utf-8`, body });
    });
    if (fakeClock) {
      // Time stands still, but for what the test lets run: whatever the machine's pace is.
      const time = new Date();
      await page.clock.install({ time });
      await page.clock.pauseAt(new Date(time.getTime() + 1_000));
    }
    await page.goto(`${url}/stage.html`);
    return stage;
  }

  mount(scene: Scene): Promise<void> {
    return this.page.evaluate((given) => {
      window.stage.mount(given);
    }, scene);
  }

  /** Writes an instruction and presses the button. */
  async generate(text: string): Promise<void> {
    await this.page.getByRole('textbox').first().fill(text);
    await this.page.getByRole('button', { name: 'Generate prompt' }).click();
  }

  /** Lets the page's time, a fake one, run in steps of so many ms until the check passes. */
  tickUntil(check: () => Promise<void>, stepMs = 1_000): Promise<void> {
    return eventually(
      async () => {
        await this.page.clock.runFor(stepMs);
        await check();
      },
      { everyMs: 20, timeoutMs: 30_000 },
    );
  }

  /** Requests for a status so far. */
  polls(): string[] {
    return this.requests.filter((request) => request.startsWith('GET') && request.endsWith('/'));
  }

  /** Streams of events that were asked for so far. */
  streams(): string[] {
    return this.requests.filter((request) => request.endsWith('/?text=true'));
  }

  /** The line with the percentage. */
  status(text: string): Locator {
    return this.page.locator('.gp-status', { hasText: text });
  }

  problem(text: string): Locator {
    return this.page.getByRole('alert').filter({ hasText: text });
  }

  state(state: string): Locator {
    return this.page.locator(`.gp[data-state="${state}"]`);
  }

  async assertAccessible(): Promise<void> {
    // Axe has timers of its own, in the same page.
    if (this.fakeClock) await this.page.clock.resume();
    await assertAccessible(this.page);
    if (this.fakeClock) await this.page.clock.pauseAt(await this.page.evaluate(() => Date.now() + 1_000));
  }

  async close(): Promise<void> {
    await this.page.context().close();
    assert.deepEqual(this.complaints, [], 'the browser complains');
  }
}

/** Collects what the browser complains of. Answers that are errors are the test's own doing. */
export function watch(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
}

/** Runs axe with the rules of WCAG 2.2 AA and its best practices; fails with what it finds. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (rules) =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { runOnly: rules, resultTypes: ['violations'] }),
    RULES,
  );
  assert.deepEqual(
    violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) })),
    [],
  );
}

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A page with the component</title>
<style>
  :root { color-scheme: light dark; background: light-dark(#fff, #0d0f16); color: light-dark(#1a1e2e, #e9ebf4); }
  body { margin: 0 auto; padding: 1rem; max-width: 44rem; font: 1rem/1.5 system-ui, sans-serif; }
</style>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/stage.css">
</head>
<body><div id="root"></div><script type="module" src="/stage.js"></script></body>
</html>`;
