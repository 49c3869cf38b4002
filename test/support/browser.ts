import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Without the calls home that Chromium makes by itself; as root it refuses to run with its sandbox. */
const ARGS = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/** A headless Chromium: the one CHROMIUM_PATH names, else one on the PATH. */
export async function startBrowser(): Promise<Browser> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: await findChromium(), args: [...ARGS, ...sandbox] });
}

async function findChromium(): Promise<string> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (folder !== '' && found) return path;
    }
  }
  throw new Error('This test needs Chromium. Install it (apt-get install chromium) or name it by CHROMIUM_PATH.');
}

/** Keeps a picture where SAVE_SCREENSHOTS names a folder: `npm run screenshots` makes those of docs/images. */
export async function keepScreenshot(page: Page, name: string, { fullPage = false } = {}): Promise<void> {
  const folder = process.env.SAVE_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', fullPage });
}
