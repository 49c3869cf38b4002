import { readFileSync } from 'node:fs';

/** Of this code, as package.json has it, which lies beside `src` and `dist` alike. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
