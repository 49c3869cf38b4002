import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { GENERATE_ASYNC_PATH } from '../../src/contract/names.js';
import { startBrowser } from '../../test/support/browser.js';
import { eventually } from '../../test/support/eventually.js';
import { userText } from '../../test/support/llm-server.js';
import { tokenFor } from '../../test/support/program.js';
import { GENERATED, TestService } from '../../test/support/service.js';
import { bundle } from './support/bundle.js';
import { Proxy } from './support/proxy.js';
import { watch } from './support/stage-page.js';

const run = promisify(execFile);
const GUIDE = 'docs/ASYNC_PROMPT_GENERATION_GUIDE.md';

/** The code of the guide by the name behind its language; code without a name is a command or a style. */
async function readBlocks(): Promise<Map<string, string>> {
  const text = await readFile(GUIDE, 'utf8');
  const blocks = new Map<string, string>();
  for (const [, language, name, code] of text.matchAll(/^```(\w+)(?: (\w+))?\n([^]*?)^```$/gm)) {
    if (['sh', 'css'].includes(language!)) continue;
    assert.ok(name, `a block of ${language!} has no name, so that it is not run`);
    blocks.set(name, code!);
  }
  return blocks;
}

describe('The guide', function () {
  this.timeout(120_000);
  let service: TestService;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let blocks: Map<string, string>;
  /** A project that has installed the package. */
  let project: string;
  let owner: string;
  let token: string;

  before(async function () {
    this.timeout(700_000);
    blocks = await readBlocks();
    project = await installPackage();
    service = await TestService.start();
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    await service.stop();
    await rm(project, { recursive: true, force: true });
  });
  beforeEach(async () => {
    owner = await service.owner();
    token = await tokenFor(owner);
    page = await browser.newPage();
    complaints = [];
    watch(page, complaints);
    await page.route(`${service.url}/my-app/token`, (route) => route.fulfill({ body: token }));
  });
  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(complaints, [], 'the browser complains');
  });

  const block = (name: string): string => {
    const code = blocks.get(name);
    assert.ok(code, `the guide has no code named ${name}`);
    return code;
  };
  /** Shows a page of this origin, or the service's. */
  const show = async (html: string, origin = service.url): Promise<void> => {
    await page.route(`${origin}/page.html`, (route) =>
      route.fulfill({ contentType: 'text/html; charset=utf-8', body: html }),
    );
    await page.goto(`${origin}/page.html`);
  };
  /** Shows a page with this code in it, built by a team's own bundler. */
  const showCode = async (code: string, body: string): Promise<void> => {
    const script = await bundle(code, { folder: project });
    await page.route(`${service.url}/page.js`, (route) =>
      route.fulfill({ contentType: 'text/javascript; charset=utf-8', body: script }),
    );
    await show(
      `<!doctype html><title>A page</title><link rel="icon" href="data:,"><meta name="token" content="${token}">
       <body>${body}<script type="module" src="/page.js"></script></body>`,
    );
  };

  it('has no code but what is run here', () => {
    assert.deepEqual([...blocks.keys()].sort(), ['batch', 'client', 'component', 'fetch', 'hook', 'host', 'page']);
  });

  it('has code that compiles against the package, with strict types', async () => {
    await writeFile(join(project, 'component.tsx'), block('component'));
    await writeFile(join(project, 'hook.tsx'), `${block('hook')}\nexport {};\n`);
    await writeFile(join(project, 'css.d.ts'), "declare module '*.css';\n");
    const options = [
      '--strict',
      '--noEmit',
      '--jsx',
      'react-jsx',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    ];
    const target = ['--target', 'es2023', '--lib', 'es2023,dom', '--types', 'react', '--skipLibCheck', 'false'];
    const files = ['component.tsx', 'hook.tsx', 'css.d.ts'];
    const tsc = resolve('node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, ...options, ...target, ...files], { cwd: project }).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
  });

  it('leads to a prompt with the component', async () => {
    await showCode(block('component'), '<div id="app"></div>');
    await page.getByLabel('Your instruction').fill('We sell shoes.');
    await page.getByRole('button', { name: 'Generate prompt' }).click();
    await page.getByRole('button', { name: 'Use this prompt' }).click();
    await eventually(async () => {
      assert.equal(await page.title(), `Saved: ${GENERATED.length} characters`);
    });
  });

  it('takes no error of the token’s endpoint for a token, and goes on once that has one', async () => {
    let isAway = true;
    await page.route(`${service.url}/my-app/token`, (route) =>
      isAway ? route.fulfill({ status: 502, body: 'Bad-Gateway' }) : route.fulfill({ body: `${token}\n` }),
    );
    await showCode(block('component'), '<div id="app"></div>');
    await page.getByLabel('Your instruction').fill('We sell shoes.');
    await page.getByRole('button', { name: 'Generate prompt' }).click();
    await page.locator('.gp-note-line', { hasText: 'Connection interrupted.' }).waitFor();
    isAway = false;
    await page.getByRole('button', { name: 'Use this prompt' }).waitFor();
    const expected = complaints.splice(0);
    assert.ok(
      expected.every((complaint) => complaint === 'No token: 502'),
      expected.join(),
    );
  });

  it('leads to a prompt with the hook, and to an error', async () => {
    await showCode(block('hook'), '<div id="app"></div>');
    await page.getByLabel('Instruction').fill('slow, by the hook');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('50% - Generating enhanced prompt with AI...').waitFor();
    await service.untilAsked(1);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alert').filter({ hasText: 'The generation was cancelled.' }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('50% - Generating enhanced prompt with AI...').waitFor();
    await service.untilAsked(2);
    service.open();
    await eventually(async () => {
      assert.equal(await page.locator('pre').textContent(), GENERATED);
    });
  });

  it('leads to a prompt with the client alone', async () => {
    await showCode(block('client'), '<textarea>We sell shoes.</textarea><button>Go</button><output></output>');
    await page.getByRole('button', { name: 'Go' }).click();
    await eventually(async () => {
      assert.equal(await page.locator('output').textContent(), GENERATED);
    });
  });

  it('leads to many prompts with a batch', async () => {
    await showCode(
      block('batch'),
      '<textarea>We sell shoes.\n\nslow, in a batch\n</textarea><button>Go</button><output></output>',
    );
    const button = page.getByRole('button', { name: 'Go' });
    await button.click();
    await page.getByText('75%').waitFor();
    assert.equal(await button.isDisabled(), true);
    service.open();
    await page.getByText('2 of 2 prompts generated. The first one: You are the assistant').waitFor();
    await page.locator('textarea').fill(' \n');
    await button.click();
    await page.getByText('manual_prompts').waitFor();
    assert.equal(await button.isDisabled(), false);
  });

  it('leads to a task and its status with the two requests, pasted as they are', async () => {
    await show('<!doctype html><title>A page</title><link rel="icon" href="data:,">');
    const pasted = `(async (token, userInput) => {\n${block('fetch')}\nreturn { task_id, status_url, status }; })`;
    const { task_id, status_url, status } = await page.evaluate<{
      task_id: string;
      status_url: string;
      status: { task_id: string; message: string };
    }>(`${pasted}(${JSON.stringify(token)}, 'slow, by fetch')`);
    assert.equal(status.task_id, task_id);
    assert.equal(status_url, `/api/v1/web-knowledge/generate-prompt-async/status/${task_id}/`);
    assert.match(status.message, /\.\.\.$/);
    // What has not asked yet would wait for the next time it opens.
    await eventually(() => {
      assert.equal(userText(service.llm.requests().at(-1)!), 'slow, by fetch');
    });
    service.open();
    assert.equal((await service.api.untilEnded(owner, { status_url })).status, 'completed');
  });

  it('leads to a prompt with the whole page', async () => {
    await show(block('page').replace('<head>', '<head><link rel="icon" href="data:,">'));
    await page.evaluate((given) => {
      sessionStorage.setItem('token', given);
    }, token);
    await page.getByLabel('Instruction').fill('slow, by a page');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('50% - Generating enhanced prompt with AI...').waitFor();
    assert.equal(await page.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.value), 50);
    service.open();
    await eventually(async () => {
      assert.equal(await page.locator('pre').textContent(), GENERATED);
    });
    await page.getByLabel('Instruction').fill(' ');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('manual_prompt is required').waitFor();
  });

  it('has a whole page that takes a lost answer, a proxy’s page and a date as Retry-After as they are meant', async () => {
    await show(block('page').replace('<head>', '<head><link rel="icon" href="data:,">'));
    await page.evaluate((given) => {
      sessionStorage.setItem('token', given);
      const setTimeout = window.setTimeout.bind(window);
      const waits: unknown[] = [];
      Object.assign(window, { waits });
      window.setTimeout = ((...given: Parameters<typeof setTimeout>) => {
        waits.push(given[1]);
        return setTimeout(...given);
      }) as typeof setTimeout;
    }, token);
    const [output, button] = [page.locator('pre'), page.getByRole('button', { name: 'Generate' })];
    // The service gets the start, the page never hears of it.
    await page.route(`**${GENERATE_ASYNC_PATH}`, async (route) => {
      await route.fetch();
      await route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' });
    });
    await page.getByLabel('Instruction').fill('slow, by a page, twice');
    await button.click();
    await page.getByText('The service answered 502.').waitFor();
    await page.unroute(`**${GENERATE_ASYNC_PATH}`);
    let asked = 0;
    await page.route(`**${GENERATE_ASYNC_PATH}status/*/`, async (route) => {
      asked += 1;
      if (asked === 1) return route.fulfill({ status: 404, body: '<html>Not here</html>' });
      const response = await route.fetch();
      const headers = { ...response.headers(), 'retry-after': new Date().toUTCString() };
      return route.fulfill({ response, headers });
    });
    await button.click();
    await page.getByText('50% - Generating enhanced prompt with AI...').waitFor();
    service.open();
    await eventually(async () => {
      assert.equal(await output.textContent(), GENERATED);
    });
    const waits = await page.evaluate(() => (window as unknown as { waits: number[] }).waits);
    assert.deepEqual(
      waits.filter((ms) => ms !== 2_000),
      [],
    );
    assert.equal((await service.api.ledger(owner)).charges.length, 1);
    await page.unrouteAll({ behavior: 'wait' });
  });

  describe('behind a proxy that has the service below a prefix', () => {
    let proxy: Proxy;

    before(async () => {
      proxy = await Proxy.to(service.url, '/prompts');
    });
    after(() => proxy.stop());

    it('leads to a prompt with the service’s own page in a frame', async () => {
      await show('<!doctype html><title>A host</title><link rel="icon" href="data:,"><body></body>', proxy.url);
      await page.evaluate(
        `((token, savePrompt) => {\n${block('host')}\n})(${JSON.stringify(token)}, (prompt) => { document.title = prompt; })`,
      );
      const frame = page.frameLocator('iframe');
      await frame.getByText('10,000 tokens', { exact: true }).waitFor();
      await frame.getByLabel('Your instruction').fill('We sell shoes.');
      await frame.getByRole('button', { name: 'Generate prompt' }).click();
      await frame.getByRole('button', { name: 'Use this prompt' }).click();
      await eventually(async () => {
        assert.match(await page.title(), /^You are the assistant/);
      });
      await frame.locator('.items > li', { hasText: 'Completed' }).waitFor();
      assert.equal(await frame.getByRole('contentinfo').count(), 0);
    });
  });
});

/** A folder with what `npm install` of the packed package and of React puts there. */
async function installPackage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'test-guide-'));
  const installed = join(folder, 'node_modules', 'prompt-generation-web');
  await mkdir(installed, { recursive: true });
  const { stdout } = await run('npm', ['pack', './web', '--pack-destination', folder, '--silent']);
  await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', installed, '--strip-components=1']);
  for (const name of ['react', 'react-dom', 'scheduler', '@types', 'csstype']) {
    await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'a-project', type: 'module' }));
  return folder;
}
